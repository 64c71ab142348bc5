#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A mount on storage at a distance (tests/tools/slowfs), of one build, or of two in turn: in sequence, until ready, random
readers of chunks that nobody read before and of such as are known, and at a bandwidth.

The kernel's cache in front of the storage is cold, but for what was read to get ready; the storage itself answers from
memory. Stores are as bio2zarr makes them, chunks of calls hard links to one. A trip is a request that is waited for:
latency times trips is what a lone reader waits."""

import argparse
import contextlib
import dataclasses
import json
import math
import pathlib
import random
import subprocess

import builds
from mounts import Mount, SlowMount
from stores import CHUNK_VARIANTS, make_store, warm
from text import percentile
from timing import read_places, read_window

ROOT = pathlib.Path(__file__).resolve().parents[2]
MS = [0.1, 2, 10, 50]
NEAR = MS[0]  # what the others are compared with
FAST = 4000  # MB/s: no limit
DISK = 150  # MB/s: one
LINKED = ["--bare", "--links", "calls"]
# Samples; variants: a .bed of 2 GB, and as many as `ready` is measured with.
SIZES = {"2504": (2504, 3_200_000, 200_000), "100k": (100_000, 80_000, 5_000)}
CHUNK_SAMPLES = 10_000
ACROSS = 3  # chunks that 4 KiB of a .bed may touch
VERBS = {"bed": "mount-plink", "bgen": "mount-bgen"}
NEEDED = {"bed": ["call_genotype"], "bgen": ["call_genotype", "call_genotype_phased"]}
LISTED = ["variant_contig", "variant_position", "variant_id", "variant_allele", "contig_id", "sample_id"]
READERS = 64
RANDOM_MS = 50
TRIPS = {"fresh": 2, "known": 1}
READY_TRIPS, READY_AT_ONCE = 6, 128


# ---- A mount at a distance --------------------------------------------------------------------


@dataclasses.dataclass
class Far:
    bench: argparse.Namespace
    slow: SlowMount
    mount: Mount

    def counters(self):
        """Of the storage, and of the encoder, if it answers."""
        command = [self.bench.vczfs, "status", "--json", self.mount.directory]
        status = json.loads(subprocess.run(command, stdout=subprocess.PIPE).stdout)
        of_encoder = {f"encoder_{key}": value for key, value in (status["encoder"].get("counters") or {}).items()}
        return {**self.slow.counters(), **of_encoder}


@contextlib.contextmanager
def far_mount(bench, store, kind, ms, mb_s=FAST, near=NEAR):
    """A fresh mount of a store on a fresh slowfs, `near` until slow.leave()."""
    options = ["-c"] if bench.compound else []
    with SlowMount(bench, store.path.parent, mb_s, ms, *options, "-b", near) as slow:
        with Mount(bench, slow.directory / store.path.name, VERBS[kind]) as mount:
            yield Far(bench, slow, mount)


def difference(before, after):
    numbers = {key: after[key] - before[key] for key in after if key in before and isinstance(after[key], (int, float))}
    return {**numbers, "most_at_once": after["most_at_once"]}


def requests(counters):
    return sum(counters[kind] for kind in ("lookup", "getattr", "open", "readdir", "read"))


# ---- What is measured -------------------------------------------------------------------------


def chunk_rows(store):
    return store.variants // CHUNK_VARIANTS


def stored_in_row(store, kind):
    """Bytes of the chunks that a row of chunks of the file is made of."""
    return sum(file.stat().st_size for array in NEEDED[kind] for file in (store.path / array).glob("0.*"))


def sequence(store, kind, ms, mb_s=FAST):
    def measure(bench, _):
        with far_mount(bench, store, kind, ms, mb_s) as far:
            row = far.mount.file.stat().st_size / chunk_rows(store)
            far.slow.leave()
            first, last, nbytes, seconds = read_window(far.mount.file, 1, bench.seconds, far.counters)
        used, mb = difference(first, last), nbytes / 1e6
        return {
            "mb_s": mb / seconds,
            "requests_mb": requests(used) / mb,
            "requests_chunk": requests(used) / (nbytes / row * math.ceil(store.samples / CHUNK_SAMPLES) * len(NEEDED[kind])),
            "stored_per_byte": used["read_bytes"] / nbytes,
            "needed_per_byte": stored_in_row(store, kind) / row,
            "most_at_once": used["most_at_once"],
            "counters": used,
        }

    return measure


def objects_to_open(store):
    """Chunks of what the .bim and the .fam say."""
    return sum(len(list((store.path / array).glob("[0-9]*"))) for array in LISTED)


def ready(store, ms):
    def measure(bench, _):
        with far_mount(bench, store, "bed", ms, near=ms) as far:
            used = far.slow.counters()
            figures = {"seconds": far.mount.ready_seconds, "requests": requests(used), "opened": used["open"], "rounds": used["rounds"]}
        return {**figures, "objects": objects_to_open(store), "most_at_once": used["most_at_once"], "counters": used}

    return measure


def places(store, file, seed):
    """Places of 4 KiB in the .bed of which no two need the same chunk, in an order of their own."""
    rng = random.Random(seed)
    row = file.stat().st_size // store.variants
    columns = range(0, max(1, row - 4096), CHUNK_SAMPLES // 4 * ACROSS)
    rows = [(i * CHUNK_VARIANTS + rng.randrange(CHUNK_VARIANTS // 8, CHUNK_VARIANTS * 7 // 8)) * row for i in range(chunk_rows(store))]
    chosen = [(at + column) // 4096 * 4096 for at in rows for column in columns]
    rng.shuffle(chosen)
    return chosen


def randomly(store, readers, known):
    """Of chunks that nobody read before; if `known`, a row of each was read."""

    def measure(bench, seed):
        with far_mount(bench, store, "bed", RANDOM_MS) as far:
            if known:
                row = far.mount.file.stat().st_size // store.variants
                read_places(far.mount.file, places(store, far.mount.file, seed + 1000), row, READERS, 60)
            far.slow.leave()
            before = far.counters()
            seconds, latencies, failed = read_places(far.mount.file, places(store, far.mount.file, seed), 4096, readers, bench.seconds)
            used = difference(before, far.counters())
        return {
            "reads_s": len(latencies) / seconds,
            "trips": percentile(latencies, 50) * 1e3 / RANDOM_MS,
            "p99_ms": percentile(latencies, 99) * 1e3,
            "failed": failed,
            "requests_read": requests(used) / max(1, len(latencies)),
            "most_at_once": used["most_at_once"],
            "counters": used,
        }

    return measure


# ---- All of it --------------------------------------------------------------------------------


def store_of(bench, name, density, size):
    samples, *variants = SIZES[name]
    options = [*LINKED, "--density", density]
    store = make_store(bench, f"far-{name}-{density}", name, samples, variants[size], options, None)
    warm(store.path)
    return store


def cases_of(bench):
    """{(what, store, ...): measure}"""
    cases = {}
    for name in bench.store:
        if "sequence" in bench.part:
            large = store_of(bench, name, "sparse", 0)
            cases |= {("sequence", name, kind, ms): sequence(large, kind, ms) for kind in VERBS for ms in bench.ms}
        if "random" in bench.part:
            large = store_of(bench, name, "sparse", 0)
            cases |= {
                ("random", name, what, readers): randomly(large, readers, what == "known")
                for what in TRIPS
                for readers in (1, READERS)
            }
        if "bandwidth" in bench.part:
            dense = store_of(bench, name, "dense", 0)
            cases |= {("bandwidth", name, kind, mb_s): sequence(dense, kind, 0, mb_s) for kind in VERBS for mb_s in (FAST, DISK)}
        if "ready" in bench.part:
            small = store_of(bench, name, "sparse", 1)
            cases |= {("ready", name, ms): ready(small, ms) for ms in bench.ms}
    return cases


# ---- The table --------------------------------------------------------------------------------


def sequence_cell(results, case, build):
    what, name, kind, ms = case
    rounds, near = results[case][build], results.get((what, name, kind, NEAR), {}).get(build)
    text = f"{builds.median(rounds, 'mb_s'):7.1f} MB/s"
    if near and ms != NEAR:
        text += f" {builds.ratio(rounds, near, 'mb_s'):5.2f} ×"
    counts = [builds.median(rounds, key) for key in ("requests_mb", "requests_chunk", "most_at_once")]
    return text + "  {:.1f} requests a MB, {:.1f} a chunk, {:.0f} at once".format(*counts)


def random_cell(results, case, build):
    what, name, how, readers = case
    rounds = results[case][build]
    speed = builds.median(rounds, "reads_s")
    could = readers / (RANDOM_MS / 1e3 * TRIPS[how])
    shown = [builds.median(rounds, key) for key in ("trips", "requests_read", "most_at_once")]
    failed = sum(figures["failed"] for figures in rounds)
    counts = "{:.1f} trips, {:.1f} requests a read, {:.0f} at once".format(*shown)
    return f"{speed:7.1f} /s {speed / could:5.2f} ×  {counts}{f', {failed} FAILED' if failed else ''}"


def bandwidth_cell(results, case, build):
    what, name, kind, mb_s = case
    rounds = results[case][build]
    speed, stored, needed = (builds.median(rounds, key) for key in ("mb_s", "stored_per_byte", "needed_per_byte"))
    text = f"{speed:7.1f} MB/s"
    if mb_s == DISK:
        could = min(builds.median(results[(what, name, kind, FAST)][build], "mb_s"), DISK / needed)
        text += f" {speed / could:5.2f} × {could:.0f}"
    return text + f"  {stored:.3f} stored bytes read for one, {needed:.3f} needed"


def ready_cell(results, case, build):
    rounds, ms = results[case][build], case[-1]
    seconds = builds.median(rounds, "seconds")
    at_most = READY_TRIPS + math.ceil(builds.median(rounds, "objects") / READY_AT_ONCE)
    shown = [builds.median(rounds, key) for key in ("rounds", "requests", "opened", "objects", "most_at_once")]
    counts = "{:.0f} rounds, {:.0f} requests, {:.0f} openings of {:.0f} objects, {:.0f} at once".format(*shown)
    return f"{seconds:7.2f} s  as {seconds / ms * 1e3:.0f} trips ({at_most} are enough), {counts}"


CELLS = {"sequence": sequence_cell, "random": random_cell, "bandwidth": bandwidth_cell, "ready": ready_cell}


def print_table(results, names):
    for name in names:
        print(f"\n{name}")
        for case in results:
            if results[case][name]:
                print(f"  {' '.join(map(str, case)):28}{CELLS[case[0]](results, case, name)}")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    builds.add_options(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6, help="of reading, each")
    parser.add_argument("--compound", action="store_true", help="a lookup, its opening and the attributes are one trip, as on NFS")
    parser.add_argument("--ms", type=float, action="append", help=f"latencies ({MS})")
    parser.add_argument("--store", action="append", choices=list(SIZES))
    parser.add_argument("--part", action="append", choices=list(CELLS))
    bench = builds.finish_options(parser.parse_args(), ROOT, "mkvcz", "slowfs")
    bench.ms, bench.store, bench.part = bench.ms or MS, bench.store or list(SIZES), bench.part or list(CELLS)
    return bench


def main():
    bench = parse_args()
    chosen = builds.of(bench)
    results = builds.in_turn(chosen, bench.rounds, cases_of(bench))
    print_table(results, chosen)
    builds.write_json(bench, results)


if __name__ == "__main__":
    main()
