# SPDX-License-Identifier: Apache-2.0
"""plink1.9 and plink2 from their start to their end, on the mount and on real files of the same bytes.

Warm: the mount is fresh, so cold, and the real files lie in the page cache. Slow disk: both lie on one that reads
SLOW_MB_S (tests/tools/slowfs), and neither is cached: the mount's store, or the real files.

The least that there can be on this machine: the program's own CPU time on real files and libzstd's for the store's
blocks, spread evenly over all processors, and nothing else."""

import contextlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

from mounts import Mount, SlowMount
from text import say

SLOW_MB_S, SLOW_MS = 150, 0.1  # a disk of the cloud, or a shared file system on a good day
BGEN_MOST = 2 << 30

FREQ = ["--freq", "--threads", "2", "--memory", "2000"]
PROGRAMS = {
    "plink2": ("mount-plink", lambda base: ["plink2", "--bfile", base, *FREQ]),
    "plink1.9": ("mount-plink", lambda base: ["plink1.9", "--bfile", base, *FREQ, "--keep-allele-order"]),
    "plink2 --bgen": ("mount-bgen", lambda base: ["plink2", "--bgen", f"{base}.bgen", "ref-first", "--sample", f"{base}.sample", *FREQ]),
}


def copies(bench, store):
    """The mount's files, copied out once: a directory, and the base of their names."""
    place = bench.data / f"{store.path.stem}.files"
    base = store.path.stem
    if not place.exists():
        say(f"copying the files of {store.name} out ...")
        partial = place.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for verb in ("mount-plink", "mount-bgen"):
            with Mount(bench, store.path, verb) as mount:
                for file in mount.directory.iterdir():
                    if file.suffix != ".bgi" and file.stat().st_size <= BGEN_MOST:
                        shutil.copy(file, partial)
        partial.rename(place)
    return place, base


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_program(make_command, base):
    """Seconds, CPU seconds, and the frequencies that came out."""
    with tempfile.TemporaryDirectory(prefix="vczfs-bench-out-") as out:
        command = [*map(str, make_command(base)), "--out", f"{out}/x"]
        begin, before = time.monotonic(), children_cpu()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        seconds, cpu = time.monotonic() - begin, children_cpu() - before
        if done.returncode != 0:
            raise SystemExit(f"bench: {' '.join(command)}:\n{done.stdout}")
        (result,) = [file for file in pathlib.Path(out).iterdir() if file.suffix in (".afreq", ".frq")]
        return seconds, cpu, result.read_bytes()


def compare(name, seconds, results, run, kind):
    if results["mount"] != results["real"]:
        raise SystemExit(f"bench: {name} says other frequencies on the mount than on real files")
    run[f"{name}, {kind}, mount_s"], run[f"{name}, {kind}, real_s"] = seconds["mount"], seconds["real"]
    run[f"{name}, {kind}, ratio"] = seconds["mount"] / seconds["real"]


def zstd_seconds(bench, store):
    done = subprocess.run([bench.bloscbench, store.path, str(bench.threads), "0"], check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["zstd_seconds"]


def measure_warm(bench, store, name, run):
    verb, command = PROGRAMS[name]
    place, base = copies(bench, store)
    for file in place.iterdir():
        file.read_bytes()
    seconds, results = {}, {}
    seconds["real"], cpu, results["real"] = run_program(command, place / base)
    with Mount(bench, store.path, verb) as mount:
        seconds["mount"], _, results["mount"] = run_program(command, mount.directory / base)
    compare(name, seconds, results, run, "warm")
    least = (cpu + zstd_seconds(bench, store)) / len(os.sched_getaffinity(0))
    run[f"{name}, warm, least"] = max(1, least / seconds["real"])


def measure_slow(bench, store, name, run):
    verb, command = PROGRAMS[name]
    place, base = copies(bench, store)
    seconds, results = {}, {}
    with SlowMount(bench, place, SLOW_MB_S, SLOW_MS) as slow:
        seconds["real"], _, results["real"] = run_program(command, slow.directory / base)
    with contextlib.ExitStack() as stack:
        slow = stack.enter_context(SlowMount(bench, store.path.parent, SLOW_MB_S, SLOW_MS))
        begin = time.monotonic()
        mount = stack.enter_context(Mount(bench, slow.directory / store.path.name, verb))
        opening = time.monotonic() - begin
        seconds["mount"], _, results["mount"] = run_program(command, mount.directory / base)
        seconds["mount"] += opening  # it reads the store too, by the same disk
    compare(name, seconds, results, run, "slow")


def has_bgen(bench, store):
    place, base = copies(bench, store)
    return (place / f"{base}.bgen").exists()


def measure(bench, store, seed, run):
    for name in PROGRAMS:
        if "bgen" in name and not has_bgen(bench, store):
            continue
        measure_warm(bench, store, name, run)
        measure_slow(bench, store, name, run)


def lines(m):
    rows = []
    for name in PROGRAMS:
        for kind, what in (("warm", "files cached"), ("slow", f"{SLOW_MB_S} MB/s disk")):
            key = f"{name}, {kind}"
            if f"{key}, ratio" in m:
                text = f"{m[f'{key}, mount_s']:8.2f} s on the mount, {m[f'{key}, real_s']:.2f} s on real files"
                least = f" (no mount can be under {m[f'{key}, least']:.2f})" if f"{key}, least" in m else ""
                rows.append((f"{name}, {what}", f"{text}: {m[f'{key}, ratio']:.2f} ×{least}"))
    return rows


def headlines(m):
    return [
        (f"{name}, {label}", m[f"{name}, {kind}"], "{:.2f}", False)
        for kind, label in (("warm, ratio", "× real files"), ("warm, least", "least × there can be"), ("slow, ratio", "× on a slow disk"))
        for name in PROGRAMS
        if f"{name}, {kind}" in m
    ]
