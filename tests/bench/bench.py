#!/usr/bin/env python3
"""What a mount costs, as ratios measured in one run: c-blosc's own decode of the same chunks, a null FUSE file
system of the same size, and vczfs's mount, sequentially and at random, always with a fresh mount.

Cold means the mount's caches: the store itself stays in the page cache, for everyone alike."""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIB = 1 << 20
READ_SIZE = 1 << 20  # of sequential preads
CAT_SIZE = 128 << 10  # what cat and cp use
RANDOM_SIZE = 4096
BED_HEADER = 3
BGEN_MOST = 2 << 30  # of the .bgen, which is twelve times the .bed, so much is read in sequence
CHUNK_VARIANTS = 1000
TICKS = os.sysconf("SC_CLK_TCK")

# name, samples, variants, further options of mkvcz
STORES = [
    ("2504", 2504, 200_000, []),
    ("100k", 100_000, 5_000, []),
    ("100k-onechunk", 100_000, 5_000, ["--one-chunk"]),
]


# --- stores ----------------------------------------------------------------------------------------------


def make_store(args, name, samples, variants, options):
    """Made once, then kept: the same options make the same bytes."""
    # Whole chunks: a padded one would be decoded in vain by c-blosc and skipped by the mount.
    variants = max(CHUNK_VARIANTS, int(variants * args.scale) // CHUNK_VARIANTS * CHUNK_VARIANTS)
    path = args.data / f"{name}-{samples}x{variants}.vcz"
    if not path.exists():
        args.data.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        say(f"making {path} ...")
        size = ["--samples", str(samples), "--variants", str(variants)]
        subprocess.run([args.mkvcz, *size, *options, partial], check=True, stdout=subprocess.DEVNULL)
        partial.rename(path)
    return path, BED_HEADER + variants * ((samples + 3) // 4)


def warm(path):
    for file in path.rglob("*"):
        if file.is_file():
            file.read_bytes()


# --- processes -------------------------------------------------------------------------------------------


def proc_status(pid):
    """VmRSS, VmHWM, ... in bytes."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return {key: int(value.split()[0]) * 1024 for key, value in pairs if value.strip().endswith(" kB")}


def proc_stat(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def cpu_seconds(pid):
    fields = proc_stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def bytes_read(pid):
    """From files, by read calls; None where we may not look."""
    try:
        text = pathlib.Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return None
    return int(text.split("rchar:")[1].split()[0])


def children_of(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if int(proc_stat(entry)[1]) == pid:
                    found.append(int(entry))
            except (OSError, ValueError):
                pass
    return found


def find_front(directory, verb):
    """The vczfs process that serves `directory`."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(verb) in words and os.fsencode(directory) in words:
            return int(entry)
    raise SystemExit(f"bench: no vczfs process serves {directory}")


def is_mounted(directory):
    with open("/proc/self/mountinfo") as mounts:
        return any(line.split()[4] == str(directory) for line in mounts)


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: waited {seconds} s for {what}")
        time.sleep(0.01)


def read_ahead_file(directory):
    device = os.stat(directory).st_dev
    return pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")


class Mount:
    """One fresh vczfs mount; knows both its processes."""

    def __init__(self, args, store, verb="mount-plink"):
        self.args, self.verb = args, verb
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="vczfs-bench-"))
        command = [args.vczfs, verb, "--background", "--memory", args.memory]
        command += ["--threads", str(args.threads), store, self.directory]
        begin = time.monotonic()
        try:
            subprocess.run(command, check=True)
        except subprocess.CalledProcessError:
            self.directory.rmdir()
            raise
        self.ready_seconds = time.monotonic() - begin

    def __enter__(self):
        self.front = find_front(self.directory, self.verb)
        encoders = children_of(self.front)
        if len(encoders) != 1:
            raise SystemExit(f"bench: {len(encoders)} encoders under process {self.front}, not one")
        self.encoder = encoders[0]
        (self.bed,) = self.directory.glob("*.bed" if self.verb == "mount-plink" else "*.bgen")
        return self

    def cpu(self):
        return {"front": cpu_seconds(self.front), "encoder": cpu_seconds(self.encoder)}

    def __exit__(self, *_):
        subprocess.run([self.args.vczfs, "unmount", self.directory], check=True)
        wait_until(lambda: not is_mounted(self.directory), f"{self.directory} to be unmounted")
        self.directory.rmdir()


class NullMount:
    """nullfs with one file of `size` bytes, read ahead as far as the mount that it is compared with."""

    def __init__(self, args, size, read_ahead):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nullfs-bench-"))
        command = [args.nullfs, str(size), self.directory]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.read_ahead = read_ahead

    def __enter__(self):
        if self.process.stdout.readline() != b"ready\n":
            raise SystemExit("bench: nullfs did not start")
        self.bed = self.directory / "null"
        if os.geteuid() == 0:
            read_ahead_file(self.directory).write_text(self.read_ahead)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.directory.rmdir()


# --- measurements ----------------------------------------------------------------------------------------


def read_sequentially(path, expected):
    """MB/s of the file's first `expected` bytes in READ_SIZE preads."""
    buffer = bytearray(READ_SIZE)
    at = 0
    fd = os.open(path, os.O_RDONLY)
    try:
        begin = time.monotonic()
        while at < expected and (n := os.preadv(fd, [buffer], at)) > 0:
            at += n
        seconds = time.monotonic() - begin
    finally:
        os.close(fd)
    if at < expected:
        raise SystemExit(f"bench: {path} has {at} bytes, not {expected}")
    return at / seconds / 1e6


def cat(path, expected):
    """MB/s of dd in CAT_SIZE reads, its start included."""
    begin = time.monotonic()
    subprocess.run(["dd", f"if={path}", "of=/dev/null", f"bs={CAT_SIZE}", "status=none"], check=True)
    return expected / (time.monotonic() - begin) / 1e6


def read_randomly(path, size, count, seed):
    """Seconds of each of `count` reads of RANDOM_SIZE at places that are all different."""
    places = max(1, size // RANDOM_SIZE)
    chosen = random.Random(seed).sample(range(places), min(count, places))
    buffer = bytearray(RANDOM_SIZE)
    fd = os.open(path, os.O_RDONLY)
    latencies = []
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for place in chosen:
            begin = time.perf_counter()
            os.preadv(fd, [buffer], place * RANDOM_SIZE)
            latencies.append(time.perf_counter() - begin)
    finally:
        os.close(fd)
    return latencies


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))]


def blosc(args, store):
    command = [args.bloscbench, store, str(args.threads)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure_blosc(args, store, run):
    got = blosc(args, store)
    run["blosc_mb_s"] = got["bed_bytes"] / got["seconds"][0] / 1e6
    run["stored_bytes"] = got["stored_bytes"]
    run["chunk_stored_kib"] = got["stored_bytes"] / got["chunks"] / 1024


def measure_sequential(args, store, size, run):
    with Mount(args, store) as mount:
        run["ready_s"] = mount.ready_seconds
        run["read_ahead_kib"] = read_ahead_file(mount.directory).read_text().strip()
        before = mount.cpu()
        run["encoder_idle"] = proc_status(mount.encoder)["VmRSS"]
        run["seq_mb_s"] = read_sequentially(mount.bed, size)
        after = mount.cpu()
        encoder, front = proc_status(mount.encoder), proc_status(mount.front)
        run["encoder_after"] = encoder["VmRSS"]
        run["encoder_peak"] = encoder["VmHWM"]
        run["front_peak"] = front["VmHWM"]
        run["front_anon"] = front["RssAnon"]
        run["cpu_front_s"] = after["front"] - before["front"]
        run["cpu_encoder_s"] = after["encoder"] - before["encoder"]
    with Mount(args, store) as mount:
        run["cat_mb_s"] = cat(mount.bed, size)


def measure_random(args, store, size, seed, run):
    with Mount(args, store) as mount:
        before, cpu = bytes_read(mount.encoder), mount.cpu()
        latencies = read_randomly(mount.bed, size, args.random_reads, seed)
        after = bytes_read(mount.encoder)
        run["random_peak"] = proc_status(mount.encoder)["VmHWM"]
        run["random_cpu_ms"] = (mount.cpu()["encoder"] - cpu["encoder"]) / len(latencies) * 1e3
        if after is not None:
            run["random_stored_kib"] = (after - before) / len(latencies) / 1024
    run["random_per_s"] = len(latencies) / sum(latencies)
    run["random_p50_ms"] = percentile(latencies, 50) * 1e3
    run["random_p99_ms"] = percentile(latencies, 99) * 1e3


def measure_null(args, size, seed, run):
    read_ahead = run["read_ahead_kib"]
    with NullMount(args, size, read_ahead) as null:
        run["null_seq_mb_s"] = read_sequentially(null.bed, size)
    with NullMount(args, size, read_ahead) as null:
        run["null_cat_mb_s"] = cat(null.bed, size)
    with NullMount(args, size, read_ahead) as null:
        latencies = read_randomly(null.bed, size, args.random_reads, seed)
        run["null_random_per_s"] = len(latencies) / sum(latencies)


def read_variants(path, rows):
    """Seconds of reading each variant of an index's rows."""
    fd = os.open(path, os.O_RDONLY)
    latencies = []
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for offset, size in rows:
            begin = time.perf_counter()
            os.pread(fd, size, offset)
            latencies.append(time.perf_counter() - begin)
    finally:
        os.close(fd)
    return latencies


def measure_bgen(args, store, seed, run):
    """The .bgen in sequence, against the null file system, and variants by the index, each from a mount of its own."""
    with Mount(args, store, "mount-bgen") as mount:
        size = min(mount.bed.stat().st_size, BGEN_MOST)
        run["bgen_seq_mb_s"] = read_sequentially(mount.bed, size)
        run["bgen_peak"] = proc_status(mount.encoder)["VmHWM"]
    with NullMount(args, size, run["read_ahead_kib"]) as null:
        run["bgen_null_mb_s"] = read_sequentially(null.bed, size)
    with Mount(args, store, "mount-bgen") as mount:
        begin = time.monotonic()
        os.stat(f"{mount.bed}.bgi")
        run["bgi_s"] = time.monotonic() - begin
        with contextlib.closing(sqlite3.connect(f"file:{mount.bed}.bgi?mode=ro", uri=True)) as index:
            rows = index.execute("SELECT file_start_position, size_in_bytes FROM Variant").fetchall()
        latencies = read_variants(mount.bed, random.Random(seed).sample(rows, min(args.random_reads, len(rows))))
    run["bgen_variant_p50_ms"] = percentile(latencies, 50) * 1e3
    run["bgen_variant_p99_ms"] = percentile(latencies, 99) * 1e3


def measure_store(args, name, samples, variants, options):
    """Everything once per run, in turn, so that a slow moment of the machine meets all alike."""
    store, size = make_store(args, name, samples, variants, options)
    warm(store)
    runs = []
    for i in range(args.runs):
        say(f"{name}: run {i + 1} of {args.runs}")
        run = {}
        measure_blosc(args, store, run)
        measure_sequential(args, store, size, run)
        measure_null(args, size, i, run)
        measure_random(args, store, size, i, run)
        measure_bgen(args, store, i, run)
        runs.append(run)
    keys = [key for key in runs[0] if isinstance(runs[0][key], (int, float))]
    medians = {key: statistics.median(run[key] for run in runs) for key in keys}
    return {"store": str(store), "bed_bytes": size, "runs": runs, "median": medians}


# --- the table -------------------------------------------------------------------------------------------


def say(text):
    print(text, file=sys.stderr, flush=True)


def mib(value):
    return f"{value / MIB:.0f} MiB"


def speed(value, ceiling=None, blosc_speed=None):
    text = f"{value:8.0f} MB/s"
    if blosc_speed:
        text += f"  {value / blosc_speed:5.2f} × c-blosc"
    if ceiling:
        text += f"  {value / ceiling:5.2f} × null"
    return text


def table(name, result):
    m = result["median"]
    lines = [
        ("c-blosc decode", speed(m["blosc_mb_s"]) + " of .bed"),
        ("null FS, 1 MiB preads", speed(m["null_seq_mb_s"])),
        ("mount, 1 MiB preads", speed(m["seq_mb_s"], m["null_seq_mb_s"], m["blosc_mb_s"])),
        ("null FS, dd 128 KiB", speed(m["null_cat_mb_s"])),
        ("mount, dd 128 KiB", speed(m["cat_mb_s"], m["null_cat_mb_s"], m["blosc_mb_s"])),
        ("null FS, random 4 KiB", f"{m['null_random_per_s']:8.0f} /s"),
        (
            "mount, random 4 KiB",
            f"{m['random_per_s']:8.0f} /s    p50 {m['random_p50_ms']:.2f} ms, p99 {m['random_p99_ms']:.2f} ms, "
            f"encoder CPU {m['random_cpu_ms']:.2f} ms a read",
        ),
    ]
    if "random_stored_kib" in m:
        stored = f"{m['random_stored_kib']:8.1f} KiB of the store; a chunk is {m['chunk_stored_kib']:.0f} KiB"
        lines.append(("  read for each", stored))
    lines += [
        ("null FS, .bgen's size", speed(m["bgen_null_mb_s"])),
        (".bgen, 1 MiB preads", f"{speed(m['bgen_seq_mb_s'], m['bgen_null_mb_s'])}  peak {mib(m['bgen_peak'])}"),
        (".bgen, one variant", f"p50 {m['bgen_variant_p50_ms']:.2f} ms, p99 {m['bgen_variant_p99_ms']:.2f} ms, by the index"),
        (".bgen.bgi, first lookup", f"{m['bgi_s'] * 1e3:8.0f} ms"),
        ("time to ready", f"{m['ready_s'] * 1e3:8.0f} ms"),
        (
            "encoder memory",
            f"idle {mib(m['encoder_idle'])}, after {mib(m['encoder_after'])}, peak {mib(m['encoder_peak'])}, "
            f"peak of random reads {mib(m['random_peak'])}",
        ),
        ("front memory", f"peak {mib(m['front_peak'])}, of it its own {mib(m['front_anon'])}"),
        ("CPU of sequential", f"encoder {m['cpu_encoder_s']:.2f} s, front {m['cpu_front_s']:.2f} s"),
    ]
    print(f"\n{name}: {result['store']}, .bed {result['bed_bytes'] / 1e6:.1f} MB")
    for label, text in lines:
        print(f"  {label:24}{text}")


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / os.environ.get("VCZFS_BUILD", "build"))
    parser.add_argument("--data", type=pathlib.Path, help="where stores are kept (BUILD/bench-data)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of variants")
    parser.add_argument("--smoke", action="store_true", help="seconds, not minutes: --scale 0.02")
    parser.add_argument("--runs", type=int, help="5, or 3 with --smoke")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory", default="256M", help="the encoder's budget")
    parser.add_argument("--random-reads", type=int, default=500)
    parser.add_argument("--store", action="append", choices=[store[0] for store in STORES])
    parser.add_argument("--json", type=pathlib.Path, help="all figures of all runs")
    args = parser.parse_args()
    if args.smoke:
        args.scale = 0.02
    args.runs = args.runs or (3 if args.smoke else 5)
    args.build = args.build.resolve()
    args.data = args.data or args.build / "bench-data"
    args.vczfs = args.build / "vczfs"
    for tool in ("mkvcz", "nullfs", "bloscbench"):
        setattr(args, tool, args.build / "tools" / tool)
    for program in (args.vczfs, args.mkvcz, args.nullfs, args.bloscbench):
        if not os.access(program, os.X_OK):
            raise SystemExit(f"bench: {program} is not there: make all tools")
    return args


def main():
    args = parse_args()
    results = {}
    print(f"{args.threads} threads, --memory {args.memory}, medians of {args.runs} runs", end="")
    print(", every mount fresh, the store in the page cache")
    for name, samples, variants, options in STORES:
        if args.store and name not in args.store:
            continue
        results[name] = measure_store(args, name, samples, variants, options)
        table(name, results[name])
        sys.stdout.flush()
    if args.json:
        settings = {"threads": args.threads, "memory": args.memory, "runs": args.runs, "scale": args.scale}
        args.json.write_text(json.dumps({"settings": settings, "stores": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
