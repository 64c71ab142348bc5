#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two builds in turn, where storage is fast: everything in the page cache, every mount fresh, pairs of rounds. Of each cost
the median of what the later build takes × what the earlier one does, and between what bounds that is with 95 %
confidence: above 1 is worse, for speeds too. Beside them what needs no quiet machine: instructions of the encoder alone
(callgrind) and system calls (strace), once for each build."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import builds
from mounts import Mount
from processes import cpu_seconds, proc_status, switches
from stores import make_store, warm
from text import MIB, say
from timing import read_sequentially

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENOUGH = 1.03  # no cost may be more × before
LINKED = ["--bare", "--links", "calls"]
# Samples; variants: a .bed of 500 MB, and one that is ready soon under callgrind.
SIZES = {"2504": (2504, 800_000, 40_000), "100k": (100_000, 20_000, 2_000)}
VERBS = {"bed": "mount-plink", "bgen": "mount-bgen"}
MOST = 1_000_000_000  # bytes read in sequence
RANDOM_SECONDS = 2
COUNTED = 200_000_000  # bytes read while system calls are counted
CALLGRIND = {"bed": (10_000_000, 40_000_000), "bgen": (20_000_000, 100_000_000)}  # how far it reads: what is ready before is in both


def costs_of_sequence(store, kind):
    def measure(bench, _):
        with Mount(bench, store.path, VERBS[kind]) as mount:
            size = min(MOST, mount.file.stat().st_size)
            pids = [mount.front, mount.encoder]
            cpu, moved = sum(map(cpu_seconds, pids)), switches(pids)
            speed = read_sequentially(mount.file, size)
            cpu, moved = sum(map(cpu_seconds, pids)) - cpu, switches(pids) - moved
            peak = proc_status(mount.encoder)["VmHWM"]
        return {
            "ready_ms": mount.ready_seconds * 1e3,
            "s_gb": 1e3 / speed,
            "cpu_s_gb": cpu / size * 1e9,
            "switches_mb": moved / size * 1e6,
            "peak_mib": peak / MIB,
        }

    return measure


def costs_of_random(store, readers):
    def measure(bench, _):
        with Mount(bench, store.path) as mount:
            pids = [mount.front, mount.encoder]
            cpu = sum(map(cpu_seconds, pids))
            command = [bench.manyreads, "-r", str(readers), "-t", str(RANDOM_SECONDS), mount.file]
            got = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            cpu = sum(map(cpu_seconds, pids)) - cpu
            peak = proc_status(mount.encoder)["VmHWM"]
        each = 1e6 / got["random_per_s"]
        return {"us_read": each, "cpu_us_read": cpu / got["seconds"] * each, "peak_mib": peak / MIB}

    return measure


# ---- Counts -----------------------------------------------------------------------------------


def system_calls(bench, store, kind):
    """{name: calls a MB} of front and encoder."""
    with Mount(bench, store.path, VERBS[kind]) as mount:
        size = min(COUNTED, mount.file.stat().st_size)
        report = mount.directory.with_suffix(".strace")
        command = ["strace", "-f", "-c", "-U", "name,calls", "-o", report, "-p", str(mount.front), "-p", str(mount.encoder)]
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(1)
        read_sequentially(mount.file, size)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
    rows = (line.split() for line in report.read_text().splitlines())
    calls = {row[0]: int(row[1]) / size * 1e6 for row in rows if len(row) == 2 and row[1].isdigit() and row[0] != "total"}
    report.unlink()
    return calls


def instructions(bench, store, kind):
    """A byte of the file, of the encoder alone with one thread."""
    counts = []
    for size in CALLGRIND[kind]:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", bench.build / "vczfs-encoderd"]
        command += ["--threads", "1", "--memory", bench.memory, "--bench-bytes", str(size), "--bench", f".{kind}", store.path]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        found = re.findall(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not found:
            return None
        counts.append((max(map(int, found)), json.loads(done.stdout.splitlines()[-1])["bytes"]))
    (less, few), (more, many) = counts
    return (more - less) / (many - few) if many > few else None


def counts_of(bench, store, small):
    counts = {}
    for kind in VERBS:
        if shutil.which("strace"):
            counts[f"{kind} system calls a MB"] = system_calls(bench, store, kind)
        if shutil.which("valgrind"):
            counts[f"{kind} instructions a byte"] = instructions(bench, small, kind)
    return counts


# ---- All of it --------------------------------------------------------------------------------


def print_costs(results):
    print(f"{'':24}{'before':>10}{'after':>10}   after × before, its bounds")
    for case, of_build in results.items():
        for key in of_build["before"][0]:
            if key == "load":
                continue
            pairs = zip(of_build["before"], of_build["after"], strict=True)
            ratio, least, most = builds.bound([after[key] / before[key] for before, after in pairs if before[key]] or [1])
            verdict = "" if most <= ENOUGH else "  worse" if least > ENOUGH else "  not sure"
            shown = [builds.median(of_build[name], key) for name in builds.NAMES]
            print(f"{' '.join(map(str, case)):16}{key:12}{shown[0]:10.2f}{shown[1]:10.2f}   {ratio:.3f} ({least:.3f} to {most:.3f}){verdict}")


def print_counts(store, counts):
    for what in counts["before"]:
        values = [counts[name][what] for name in builds.NAMES]
        if isinstance(values[0], dict):
            print(f"{store} {what}: {sum(values[0].values()):.1f} before, {sum(values[1].values()):.1f} after; most of them")
            for name, value in zip(builds.NAMES, values, strict=True):
                most = sorted(value.items(), key=lambda item: -item[1])[:8]
                print(f"  {name}: " + ", ".join(f"{call} {calls:.2f}" for call, calls in most))
        elif None not in values:
            print(f"{store} {what}: {values[0]:.2f} before, {values[1]:.2f} after: {values[1] / values[0]:.3f} ×")


def stores_of(bench, name):
    """A large one, and a small one for what is slow to look at."""
    samples, *variants = SIZES[name]
    for size in variants:
        store = make_store(bench, f"fast-{name}", name, samples, size, LINKED, None)
        warm(store.path)
        yield store


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    builds.add_options(parser)
    parser.add_argument("--rounds", type=int, default=15, help="pairs")
    parser.add_argument("--store", action="append", choices=list(SIZES))
    parser.add_argument("--no-counts", action="store_true", help="neither instructions nor system calls")
    bench = builds.finish_options(parser.parse_args(), ROOT, "mkvcz", "manyreads")
    if bench.before is None:
        raise SystemExit("bench: --before is missing: what is compared with?")
    bench.store = bench.store or list(SIZES)
    return bench


def main():
    bench = parse_args()
    chosen = builds.of(bench)
    stores = {name: list(stores_of(bench, name)) for name in bench.store}
    cases = {}
    for name, (large, _) in stores.items():
        cases |= {(name, kind): costs_of_sequence(large, kind) for kind in VERBS}
        cases |= {(name, "random", readers): costs_of_random(large, readers) for readers in (1, 16)}
    results = builds.in_turn(chosen, bench.rounds, cases)
    print(f"{bench.rounds} pairs, load {os.getloadavg()[0]:.1f}")
    print_costs(results)
    if not bench.no_counts:
        for name, (large, small) in stores.items():
            say(f"counting, {name} ...")
            print_counts(name, {build: counts_of(chosen[build], large, small) for build in chosen})
    builds.write_json(bench, results)


if __name__ == "__main__":
    main()
