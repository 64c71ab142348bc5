# SPDX-License-Identifier: Apache-2.0
"""The .bed in sequence, against c-blosc's own decode of the same chunks and a null file system of the same size."""

import json
import subprocess

from mounts import Mount, NullMount, read_ahead
from processes import proc_status
from text import MIB, mib, speed
from timing import cat, read_sequentially


def measure_blosc(bench, store, run):
    command = [bench.bloscbench, store.path, str(bench.threads)]
    got = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    run["blosc_mb_s"] = got["bed_bytes"] / got["seconds"][0] / 1e6
    run["zstd_cpu_s"] = got["zstd_seconds"]
    run["times_compressed"] = store.variants * store.samples * 2 / got["stored_bytes"]


def measure_mount(bench, store, run):
    with Mount(bench, store.path) as mount:
        ahead = read_ahead(mount)
        before = mount.cpu()
        run["seq_mb_s"] = read_sequentially(mount.file, store.bed_bytes)
        after = mount.cpu()
        encoder, front = proc_status(mount.encoder), proc_status(mount.front)
        run["encoder_after"] = encoder["VmRSS"]
        run["encoder_peak"] = encoder["VmHWM"]
        run["front_peak"] = front["VmHWM"]
        run["front_anon"] = front["RssAnon"]
        run["cpu_front_s"] = after["front"] - before["front"]
        run["cpu_encoder_s"] = after["encoder"] - before["encoder"]
    with Mount(bench, store.path) as mount:
        run["cat_mb_s"] = cat(mount.file, store.bed_bytes)
    return ahead


def measure(bench, store, seed, run):
    measure_blosc(bench, store, run)
    ahead = measure_mount(bench, store, run)
    with NullMount(bench, store.bed_bytes, ahead) as null:
        run["null_seq_mb_s"] = read_sequentially(null.file, store.bed_bytes)
    with NullMount(bench, store.bed_bytes, ahead) as null:
        run["null_cat_mb_s"] = cat(null.file, store.bed_bytes)


def lines(m):
    return [
        ("genotypes, compressed", f"{m['times_compressed']:8.1f} ×"),
        ("c-blosc decode", speed(m["blosc_mb_s"]) + " of .bed"),
        ("null FS, 1 MiB preads", speed(m["null_seq_mb_s"])),
        ("mount, 1 MiB preads", speed(m["seq_mb_s"], m["null_seq_mb_s"], m["blosc_mb_s"])),
        ("null FS, dd 128 KiB", speed(m["null_cat_mb_s"])),
        ("mount, dd 128 KiB", speed(m["cat_mb_s"], m["null_cat_mb_s"], m["blosc_mb_s"])),
        ("encoder memory", f"after {mib(m['encoder_after'])}, peak {mib(m['encoder_peak'])}"),
        ("front memory", f"peak {mib(m['front_peak'])}, of it its own {mib(m['front_anon'])}"),
        ("CPU of sequential", f"encoder {m['cpu_encoder_s']:.2f} s, front {m['cpu_front_s']:.2f} s; libzstd alone {m['zstd_cpu_s']:.2f} s"),
    ]


def headlines(m):
    return [
        (".bed in sequence × c-blosc", m["seq_mb_s"] / m["blosc_mb_s"], "{:.2f}", True),
        (".bed in sequence × null", m["seq_mb_s"] / m["null_seq_mb_s"], "{:.2f}", True),
        (".bed in sequence, MB/s", m["seq_mb_s"], "{:.0f}", True),
        ("encoder's peak, MiB", m["encoder_peak"] / MIB, "{:.0f}", False),
    ]
