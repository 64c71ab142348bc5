# SPDX-License-Identifier: Apache-2.0
"""Reads of 4 KiB at places that are all different, from one thread."""

from mounts import Mount, NullMount, read_ahead
from processes import bytes_read, proc_status
from text import mib, percentile
from timing import read_randomly


def chunk_bytes(store):
    files = [file for file in (store.path / "call_genotype").rglob("*") if not file.name.startswith(".")]
    sizes = [file.stat().st_size for file in files if file.is_file()]
    return sum(sizes) / len(sizes)


def measure(bench, store, seed, run):
    with Mount(bench, store.path) as mount:
        ahead = read_ahead(mount)
        before, cpu = bytes_read(mount.encoder), mount.cpu()
        latencies = read_randomly(mount.file, store.bed_bytes, bench.random_reads, seed)
        after = bytes_read(mount.encoder)
        run["random_peak"] = proc_status(mount.encoder)["VmHWM"]
        run["random_cpu_ms"] = (mount.cpu()["encoder"] - cpu["encoder"]) / len(latencies) * 1e3
        if after is not None:
            run["random_stored_kib"] = (after - before) / len(latencies) / 1024
    run["random_chunk_kib"] = chunk_bytes(store) / 1024
    run["random_per_s"] = len(latencies) / sum(latencies)
    run["random_p50_ms"] = percentile(latencies, 50) * 1e3
    run["random_p99_ms"] = percentile(latencies, 99) * 1e3
    with NullMount(bench, store.bed_bytes, ahead) as null:
        latencies = read_randomly(null.file, store.bed_bytes, bench.random_reads, seed)
        run["null_random_per_s"] = len(latencies) / sum(latencies)


def lines(m):
    rows = [
        ("null FS, random 4 KiB", f"{m['null_random_per_s']:8.0f} /s"),
        (
            "mount, random 4 KiB",
            f"{m['random_per_s']:8.0f} /s    p50 {m['random_p50_ms']:.2f} ms, p99 {m['random_p99_ms']:.2f} ms, "
            f"encoder CPU {m['random_cpu_ms']:.2f} ms a read, peak {mib(m['random_peak'])}",
        ),
    ]
    if "random_stored_kib" in m:
        stored = f"{m['random_stored_kib']:8.1f} KiB of the store; a chunk is {m['random_chunk_kib']:.0f} KiB"
        rows.append(("  read for each", stored))
    return rows


def headlines(m):
    return [
        ("random 4 KiB reads a second", m["random_per_s"], "{:.0f}", True),
        ("random 4 KiB reads, p99 ms", m["random_p99_ms"], "{:.2f}", False),
    ]
