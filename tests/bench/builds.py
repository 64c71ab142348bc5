# SPDX-License-Identifier: Apache-2.0
"""Two builds, measured in turn in each round so that a slow moment of the machine meets both; and what can be said of
a ratio from so many rounds."""

import copy
import json
import os
import pathlib
import random
import statistics

from text import say

RESAMPLES = 4000
CONFIDENCE = 0.95
NAMES = ("before", "after")


def add_options(parser):
    parser.add_argument("--before", type=pathlib.Path, help="a directory with the vczfs and vczfs-encoderd of another build")
    parser.add_argument("--after", type=pathlib.Path, help="those that are compared with it (BUILD)")
    parser.add_argument("--data", type=pathlib.Path, help="where stores are kept (BUILD/bench-data)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of variants")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory", default="256M", help="the encoder's budget")
    parser.add_argument("--json", type=pathlib.Path, help="all figures of all rounds")


def finish_options(bench, root, *tools):
    build = (root / os.environ.get("VCZFS_BUILD", "build")).resolve()
    bench.after = bench.after or build
    bench.data = (bench.data or build / "bench-data").resolve()
    for tool in tools:
        program = build / "tools" / tool
        if not os.access(program, os.X_OK):
            raise SystemExit(f"bench: {program} is not there: make all tools")
        setattr(bench, tool, program)
    return bench


def of(bench):
    """{name: a bench of that build}: tools and stores are those of `bench`."""
    builds = {}
    for name in NAMES:
        directory = getattr(bench, name)
        if directory is None:
            continue
        for program in ("vczfs", "vczfs-encoderd"):
            if not os.access(directory / program, os.X_OK):
                raise SystemExit(f"bench: {directory / program} is not there")
        builds[name] = copy.copy(bench)
        builds[name].build, builds[name].vczfs = directory.resolve(), directory.resolve() / "vczfs"
    return builds


def in_turn(builds, rounds, cases):
    """{case: {build: [figures of each round]}}; a case is called with a build's bench and the round's number. Who is
    first changes with every round."""
    results = {case: {name: [] for name in builds} for case in cases}
    for i in range(rounds):
        for case, measure in cases.items():
            names = list(builds) if i % 2 == 0 else list(reversed(builds))
            for name in names:
                figures = measure(builds[name], i)
                figures["load"] = os.getloadavg()[0]
                results[case][name].append(figures)
                shown = ", ".join(f"{k} {v:.3g}" for k, v in figures.items() if isinstance(v, (int, float)))
                say(f"round {i + 1} of {rounds}: {case}, {name}: {shown}")
    return results


def median(rounds, key):
    values = [figures[key] for figures in rounds if figures.get(key) is not None]
    return statistics.median(values) if values else None


def ratio(rounds, others, key):
    """The median of what each round has to its like."""
    return statistics.median(a[key] / b[key] for a, b in zip(rounds, others, strict=True))


def bound(values, seed=1):
    """The median, and the ends of its bootstrap confidence interval."""
    rng = random.Random(seed)
    medians = sorted(statistics.median(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = int(RESAMPLES * (1 - CONFIDENCE) / 2)
    return statistics.median(values), medians[tail], medians[-1 - tail]


def write_json(bench, results):
    """With a case as a string, its words in a row."""
    if bench.json:
        settings = {key: str(value) for key, value in vars(bench).items()}
        rows = {" ".join(map(str, case)): result for case, result in results.items()}
        bench.json.write_text(json.dumps({"settings": settings, "results": rows}, indent=1) + "\n")
