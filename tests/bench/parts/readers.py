# SPDX-License-Identifier: Apache-2.0
"""Many readers at once: 16 random ones, those beside a sequential one, and four sequential ones of one file."""

import json
import os
import subprocess
import threading

from mounts import Mount

RANDOM = 16
SECONDS = 1
SEQUENTIAL = 4
PIECE = 1 << 17


def manyreads(bench, store, *options):
    with Mount(bench, store.path) as mount:
        command = [bench.manyreads, *map(str, options), mount.file]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def blocks(bench, mount):
    command = [bench.vczfs, "status", "--json", mount.directory]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["encoder"]["counters"]["blocks"]


def read_through(path):
    at = 0
    fd = os.open(path, os.O_RDONLY)
    try:
        while n := len(os.pread(fd, PIECE, at)):
            at += n
    finally:
        os.close(fd)


def decoded(bench, store, n):
    """Blocks that n readers at once cost."""
    with Mount(bench, store.path) as mount:
        before = blocks(bench, mount)
        readers = [threading.Thread(target=read_through, args=(mount.file,)) for _ in range(n)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        return blocks(bench, mount) - before


def measure(bench, store, seed, run):
    run["one_random_per_s"] = manyreads(bench, store, "-r", 1, "-t", SECONDS)["random_per_s"]
    run["many_random_per_s"] = manyreads(bench, store, "-r", RANDOM, "-t", SECONDS)["random_per_s"]
    alone = manyreads(bench, store, "-s")["sequential_mb_s"]
    beside = manyreads(bench, store, "-s", "-r", RANDOM)
    run["beside_random"] = beside["sequential_mb_s"] / alone
    run["beside_random_per_s"] = beside["random_per_s"]
    run["decoded_by_four"] = decoded(bench, store, SEQUENTIAL) / decoded(bench, store, 1)


def lines(m):
    scale = m["many_random_per_s"] / m["one_random_per_s"]
    return [
        (f"{RANDOM} random readers", f"{m['many_random_per_s']:8.0f} /s  {scale:5.2f} × one"),
        (
            f"sequential beside {RANDOM} random",
            f"{m['beside_random'] * 100:8.0f} % of its speed; they read {m['beside_random_per_s']:.0f} /s meanwhile",
        ),
        (f"{SEQUENTIAL} sequential readers", f"{m['decoded_by_four']:8.2f} × the blocks that one costs"),
    ]


def headlines(m):
    return [
        (f"{RANDOM} random readers, reads a second", m["many_random_per_s"], "{:.0f}", True),
        (f"sequential beside {RANDOM} random, %", m["beside_random"] * 100, "{:.0f}", True),
        (f"{SEQUENTIAL} sequential readers, blocks × one", m["decoded_by_four"], "{:.2f}", False),
    ]
