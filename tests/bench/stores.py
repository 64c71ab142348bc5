"""The stores that are measured: made once by mkvcz, then kept."""

import dataclasses
import pathlib
import shutil
import subprocess

from text import say

BED_HEADER = 3
CHUNK_VARIANTS = 1000

# name, samples, variants, further options of mkvcz
STORES = [
    ("2504", 2504, 200_000, []),
    ("100k", 100_000, 5_000, []),
    ("100k-onechunk", 100_000, 5_000, ["--one-chunk"]),
]


@dataclasses.dataclass
class Store:
    name: str
    path: pathlib.Path
    samples: int
    variants: int

    @property
    def bed_bytes(self):
        return BED_HEADER + self.variants * ((self.samples + 3) // 4)


def make_store(bench, name, samples, variants, options):
    """Made once, then kept: the same options make the same bytes."""
    # Whole chunks: a padded one would be decoded in vain by c-blosc and skipped by the mount.
    variants = max(CHUNK_VARIANTS, int(variants * bench.scale) // CHUNK_VARIANTS * CHUNK_VARIANTS)
    path = bench.data / f"{name}-{samples}x{variants}.vcz"
    if not path.exists():
        bench.data.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        say(f"making {path} ...")
        size = ["--samples", str(samples), "--variants", str(variants)]
        subprocess.run([bench.mkvcz, *size, *options, partial], check=True, stdout=subprocess.DEVNULL)
        partial.rename(path)
    return Store(name, path, samples, variants)


def warm(path):
    for file in path.rglob("*"):
        if file.is_file():
            file.read_bytes()
