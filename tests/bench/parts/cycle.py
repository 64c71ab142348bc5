# SPDX-License-Identifier: Apache-2.0
"""Mounting and unmounting a small store, over and over."""

import subprocess
import tempfile
import time

from text import percentile

CYCLES = 40  # a run: 200 in five
SIZE = ["--samples", "100", "--variants", "1000"]


def wants(bench, store):
    return store.name == "2504"  # once: the store that is measured is another one


def small_store(bench):
    path = bench.data / "small-100x1000.vcz"
    if not path.exists():
        subprocess.run([bench.mkvcz, *SIZE, path], check=True, stdout=subprocess.DEVNULL)
    return path


def measure(bench, store, seed, run):
    small, seconds = small_store(bench), []
    with tempfile.TemporaryDirectory(prefix="vczfs-bench-") as directory:
        for _ in range(CYCLES):
            begin = time.monotonic()
            subprocess.run([bench.vczfs, "mount-plink", "--background", small, directory], check=True)
            subprocess.run([bench.vczfs, "unmount", directory], check=True)
            seconds.append(time.monotonic() - begin)
    run["cycle_p50_ms"] = percentile(seconds, 50) * 1e3
    run["cycle_p99_ms"] = percentile(seconds, 99) * 1e3


def lines(m):
    return [("a small store, there and back", f"{m['cycle_p50_ms']:8.0f} ms p50, {m['cycle_p99_ms']:.0f} ms p99")]
