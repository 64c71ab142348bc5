# SPDX-License-Identifier: Apache-2.0
"""The stores that are measured: made once by mkvcz, then kept."""

import dataclasses
import pathlib
import shutil
import subprocess

from text import say

BED_HEADER = 3
# Of what mkvcz makes of the same options: a store of another age is not measured.
AGE = 2
CHUNK_VARIANTS = 1000

# Kind, samples, variants, further options of mkvcz.
KINDS = [
    ("2504", 2504, 200_000, []),
    ("100k", 100_000, 5_000, []),
    ("100k-onechunk", 100_000, 5_000, ["--one-chunk"]),
]
# Genotypes are compressed about 40 times, and about 15 times: what counts is the worse of both.
DENSITIES = [("", "sparse"), ("-dense", "dense")]
# Measured for how long opening them takes, and no more: many variants, and 100,000 chunks in each array.
FEW = ["--chunk-samples", "4", "--level", "1", "--bare"]
LARGE = [
    ("10m-variants", 4, 10_000_000, [*FEW, "--links", "calls"]),
    ("100k-chunks", 4, 100_000, [*FEW, "--links", "all", "--chunk-variants", "1"]),
]
# Rows that do not end at a byte: the .bed should be as fast as that of one sample more.
UNALIGNED = [("2503-dense", "2503", 2503, 200_000, ["--density", "dense"], {"bed"})]
# name, kind, samples, variants, further options of mkvcz, the parts that it is for (None: all)
STORES = [
    (kind + suffix, kind, samples, variants, ["--density", density, *options], None)
    for kind, samples, variants, options in KINDS
    for suffix, density in DENSITIES
] + UNALIGNED + [(name, name, samples, variants, options, {"ready"}) for name, samples, variants, options in LARGE]


@dataclasses.dataclass
class Store:
    name: str
    kind: str
    path: pathlib.Path
    samples: int
    variants: int
    parts: set

    @property
    def bed_bytes(self):
        return BED_HEADER + self.variants * ((self.samples + 3) // 4)


def make_store(bench, name, kind, samples, variants, options, parts):
    """Made once, then kept: the same options make the same bytes."""
    # Whole chunks: a padded one would be decoded in vain by c-blosc and skipped by the mount.
    variants = max(CHUNK_VARIANTS, int(variants * bench.scale) // CHUNK_VARIANTS * CHUNK_VARIANTS)
    path = bench.data / f"{name}-{samples}x{variants}-{AGE}.vcz"
    if not path.exists():
        bench.data.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        say(f"making {path} ...")
        size = ["--samples", str(samples), "--variants", str(variants)]
        subprocess.run([bench.mkvcz, *size, *options, partial], check=True, stdout=subprocess.DEVNULL)
        partial.rename(path)
    return Store(name, kind, path, samples, variants, parts)


def warm(path):
    for file in path.rglob("*"):
        if file.is_file():
            file.read_bytes()
