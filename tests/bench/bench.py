#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a mount costs, as ratios measured in one run: c-blosc's own decode of the same chunks, a null FUSE file
system of the same size, and vczfs's mount, sequentially and at random, always with a fresh mount.

Cold means the mount's caches: the store itself stays in the page cache, for everyone alike.

What is measured: parts/. On what: stores.py. With what: mounts.py, timing.py, processes.py."""

import argparse
import json
import os
import pathlib
import statistics
import sys

import parts
from stores import KINDS, STORES, make_store, warm
from text import say

ROOT = pathlib.Path(__file__).resolve().parents[2]


def chosen_parts(bench, store):
    for name, part in parts.ALL.items():
        wanted = (not bench.part or name in bench.part) and (store.parts is None or name in store.parts)
        if wanted and getattr(part, "wants", lambda *_: True)(bench, store):
            yield name, part


def measure_store(bench, store):
    """Everything once per run, in turn, so that a slow moment of the machine meets all alike."""
    chosen = dict(chosen_parts(bench, store))
    runs = []
    for i in range(bench.runs):
        say(f"{store.name}: run {i + 1} of {bench.runs}")
        run = {}
        for part in chosen.values():
            part.measure(bench, store, i, run)
        runs.append(run)
    keys = [key for key in runs[0] if isinstance(runs[0][key], (int, float))]
    medians = {key: statistics.median(run[key] for run in runs if key in run) for key in keys}
    return {"store": str(store.path), "kind": store.kind, "bed_bytes": store.bed_bytes, "parts": list(chosen), "runs": runs, "median": medians}


def table(name, result):
    print(f"\n{name}: {result['store']}, .bed {result['bed_bytes'] / 1e6:.1f} MB")
    for part in result["parts"]:
        for label, text in parts.ALL[part].lines(result["median"]):
            print(f"  {label:30}{text}")
    sys.stdout.flush()


def worse_of_both(results):
    """Of each figure that counts, the worse of the densities of each kind of store."""
    columns, rows = [], {}
    for kind, *_ in KINDS:
        medians = [(r["parts"], r["median"]) for r in results.values() if r["kind"] == kind]
        if len(medians) < 2:
            continue
        columns.append(kind)
        for parts_of_one, m in medians:
            for part in parts_of_one:
                for label, value, form, higher in getattr(parts.ALL[part], "headlines", lambda _: [])(m):
                    best = rows.setdefault(label, {}).get(kind)
                    worse = value if best is None else min(best[0], value) if higher else max(best[0], value)
                    rows[label][kind] = (worse, form.format(worse))
    if not columns:
        return
    print(f"\n{'the worse of both densities':36}" + "".join(f"{column:>16}" for column in columns))
    for label, row in rows.items():
        print(f"  {label:34}" + "".join(f"{row[column][1] if column in row else '':>16}" for column in columns))


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / os.environ.get("VCZFS_BUILD", "build"))
    parser.add_argument("--data", type=pathlib.Path, help="where stores are kept (BUILD/bench-data)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of variants")
    parser.add_argument("--smoke", action="store_true", help="seconds, not minutes: --scale 0.02")
    parser.add_argument("--runs", type=int, help="5, or 3 with --smoke")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory", default="256M", help="the encoder's budget")
    parser.add_argument("--random-reads", type=int, default=5000, help="of 4 KiB: about a second")
    parser.add_argument("--variants", type=int, default=500, help="read by a .bgen's index")
    parser.add_argument("--store", action="append", choices=[store[0] for store in STORES])
    parser.add_argument("--part", action="append", choices=list(parts.ALL))
    parser.add_argument("--json", type=pathlib.Path, help="all figures of all runs")
    bench = parser.parse_args()
    if bench.smoke:
        bench.scale = 0.02
    bench.runs = bench.runs or (3 if bench.smoke else 5)
    bench.build = bench.build.resolve()
    bench.data = bench.data or bench.build / "bench-data"
    bench.vczfs = bench.build / "vczfs"
    for tool in ("mkvcz", "nullfs", "slowfs", "bloscbench", "manyreads"):
        setattr(bench, tool, bench.build / "tools" / tool)
    for program in (bench.vczfs, bench.mkvcz, bench.nullfs, bench.slowfs, bench.bloscbench, bench.manyreads):
        if not os.access(program, os.X_OK):
            raise SystemExit(f"bench: {program} is not there: make all tools")
    return bench


def main():
    bench = parse_args()
    results = {}
    print(f"{bench.threads} threads, --memory {bench.memory}, medians of {bench.runs} runs", end="")
    print(", every mount fresh, the store in the page cache")
    for name, *what in STORES:
        if bench.store and name not in bench.store:
            continue
        store = make_store(bench, name, *what)
        if not list(chosen_parts(bench, store)):
            continue
        warm(store.path)
        results[name] = measure_store(bench, store)
        table(name, results[name])
    worse_of_both(results)
    if bench.json:
        settings = {"threads": bench.threads, "memory": bench.memory, "runs": bench.runs, "scale": bench.scale}
        bench.json.write_text(json.dumps({"settings": settings, "stores": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
