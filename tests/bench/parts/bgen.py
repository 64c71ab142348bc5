# SPDX-License-Identifier: Apache-2.0
"""The .bgen in sequence, against the null file system, and variants by the index, each from a mount of its own."""

import contextlib
import os
import random
import sqlite3
import time

from mounts import Mount, NullMount, read_ahead
from processes import proc_status
from text import mib, percentile, speed
from timing import read_sequentially, read_variants

BGEN_MOST = 2 << 30  # of the .bgen, which is twelve times the .bed, so much is read in sequence


def measure(bench, store, seed, run):
    with Mount(bench, store.path, "mount-bgen") as mount:
        ahead = read_ahead(mount)
        size = min(mount.file.stat().st_size, BGEN_MOST)
        run["bgen_seq_mb_s"] = read_sequentially(mount.file, size)
        run["bgen_peak"] = proc_status(mount.encoder)["VmHWM"]
    with NullMount(bench, size, ahead) as null:
        run["bgen_null_mb_s"] = read_sequentially(null.file, size)
    with Mount(bench, store.path, "mount-bgen") as mount:
        begin = time.monotonic()
        os.stat(f"{mount.file}.bgi")
        run["bgi_s"] = time.monotonic() - begin
        with contextlib.closing(sqlite3.connect(f"file:{mount.file}.bgi?mode=ro", uri=True)) as index:
            rows = index.execute("SELECT file_start_position, size_in_bytes FROM Variant").fetchall()
        latencies = read_variants(mount.file, random.Random(seed).sample(rows, min(bench.variants, len(rows))))
    run["bgen_variant_p50_ms"] = percentile(latencies, 50) * 1e3
    run["bgen_variant_p99_ms"] = percentile(latencies, 99) * 1e3


def lines(m):
    return [
        ("null FS, .bgen's size", speed(m["bgen_null_mb_s"])),
        (".bgen, 1 MiB preads", f"{speed(m['bgen_seq_mb_s'], m['bgen_null_mb_s'])}  peak {mib(m['bgen_peak'])}"),
        (".bgen, one variant", f"p50 {m['bgen_variant_p50_ms']:.2f} ms, p99 {m['bgen_variant_p99_ms']:.2f} ms, by the index"),
        (".bgen.bgi, first lookup", f"{m['bgi_s'] * 1e3:8.0f} ms"),
    ]


def headlines(m):
    return [
        (".bgen in sequence × null", m["bgen_seq_mb_s"] / m["bgen_null_mb_s"], "{:.2f}", True),
        (".bgen in sequence, MB/s", m["bgen_seq_mb_s"], "{:.0f}", True),
        (".bgen variant by index, p50 ms", m["bgen_variant_p50_ms"], "{:.2f}", False),
    ]
