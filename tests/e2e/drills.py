# SPDX-License-Identifier: Apache-2.0
"""
What the drills share: readers that know the right bytes (tests/tools/readcheck.c), figures, and how long to go on.
Drills are short in `make check`; with VCZFS_SOAK=1 (`make soak`) they run as long as issue and doc/TESTING.md say.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import helpers
import plink_tools

READCHECK = helpers.BUILD / "tools/readcheck"
SOAK = helpers.SOAK

# Wide enough for several blocks a row, long enough for several spans; about 4 MB of .bed.
STORE = "--samples 5003 --variants 3000 --chunk-variants 500 --chunk-samples 2000 --density dense --seed 6"
# A .bgen has a byte and more where a .bed has two bits; about 9 MB of it.
BGEN_STORE = "--samples 2003 --variants 1500 --chunk-variants 250 --chunk-samples 800 --density dense --seed 6"
SUFFIX = {"mount-plink": ".bed", "mount-bgen": ".bgen"}


def scaled(check, soak):
    return soak if SOAK else check


def record(drill, **figures):
    """Keeps what was measured, for doc/TESTING.md: $VCZFS_BUILD/drills.jsonl."""
    line = json.dumps({"drill": drill, "soak": SOAK, **figures})
    print(line)
    with (helpers.BUILD / "drills.jsonl").open("a") as out:
        out.write(line + "\n")


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def milliseconds(seconds):
    return round(seconds * 1000, 1)


# --- readers ---------------------------------------------------------------------------------------------


class Readers:
    """Processes that read a file in different ways until they are told to stop."""

    def __init__(self, path, oracle, modes, *options):
        self.processes = [
            subprocess.Popen(
                [READCHECK, "-m", mode, "-s", str(seed), *map(str, options), path, oracle],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                # Until it looks for the signal itself: it may be told to end before it has begun.
                preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]),
            )
            for seed, mode in enumerate(modes, 1)
        ]
        self.results = None

    def finish(self, seconds=40, end=True):
        """What each of them saw; `end`: now, rather than when they have read what they were to."""
        if self.results is None:
            if end:
                for process in self.processes:
                    process.send_signal(signal.SIGTERM)
            texts = [process.communicate(timeout=seconds * helpers.SLOW)[0] for process in self.processes]
            self.results = [json.loads(text) if text.startswith("{") else {"broken": text} for text in texts]
        return self.results

    def kill(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()


@contextlib.contextmanager
def reading(path, oracle, modes, *options):
    readers = Readers(path, oracle, modes, *options)
    try:
        yield readers
    finally:
        readers.kill()


def assert_all_right(results):
    """Every reader got on, no read failed, no byte was wrong."""
    bad = [r for r in results if r.get("errors", 1) or r.get("wrong", 1) or not r.get("ops")]
    assert not bad, bad


# --- the encoder -----------------------------------------------------------------------------------------


def encoder_pid(front):
    """The one that lives now, or None; cheaper than looking through all of /proc."""
    try:
        pids = pathlib.Path(f"/proc/{front}/task/{front}/children").read_text().split()
    except FileNotFoundError:
        return None
    for pid in map(int, pids):
        if helpers.alive(pid) and helpers.comm(pid).startswith(("vczfs-encoderd", "fakeenc")):
            return pid
    return None


def status(m):
    """
    Its exit status is about whether all is well, which it need not be. It waits for a second at most, which a busy machine may
    take, and is asked again then.
    """
    command = [helpers.VCZFS, "status", "--json", m.dir]
    text = helpers.wait_for(lambda: subprocess.run(command, capture_output=True, check=False).stdout, what="the mount's status")
    return json.loads(text)


def wait_until_served(m, nreads=32):
    """
    Until so many more reads have been answered. Whoever kills encoders over and over has to let one get so far now and then:
    where starting takes long, none would ever live to answer.
    """

    def served():
        return status(m)["reads"]["served"]

    enough = served() + nreads
    helpers.wait_for(lambda: served() >= enough, 20, f"{nreads} reads to be answered")


def resident(pid):
    """Bytes of memory that are the process's own or mapped by it."""
    fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGESIZE")


class MemoryCgroup:
    """A memory cgroup of its own, of either version."""

    def __init__(self, place, v2):
        self.place, self.v2 = place, v2

    def take(self, pid):
        (self.place / "cgroup.procs").write_text(str(pid))

    def limit(self, nbytes):
        (self.place / ("memory.max" if self.v2 else "memory.limit_in_bytes")).write_text(str(nbytes))

    def usage(self):
        return int((self.place / ("memory.current" if self.v2 else "memory.usage_in_bytes")).read_text())

    def kills(self):
        text = (self.place / ("memory.events" if self.v2 else "memory.oom_control")).read_text()
        return int(re.search(r"^oom_kill (\d+)$", text, re.M)[1])


@contextlib.contextmanager
def memory_cgroup():
    """One that is removed again, or None where there can be none (no root, no controller)."""
    roots = [(pathlib.Path("/sys/fs/cgroup/memory"), False), (pathlib.Path("/sys/fs/cgroup"), True)]
    for root, v2 in roots:
        place = root / f"vczfs-drill-{os.getpid()}"
        try:
            place.mkdir()
        except OSError:
            continue
        try:
            cgroup = MemoryCgroup(place, v2)
            yield cgroup if (place / ("memory.max" if v2 else "memory.limit_in_bytes")).exists() else None
        finally:
            helpers.wait_for(lambda: helpers.errno_of(place.rmdir) == 0, what="the cgroup to be empty")
        return
    yield None


@contextlib.contextmanager
def stopped(pid):
    """A process that does nothing for a while."""
    os.kill(pid, signal.SIGSTOP)
    helpers.wait_for(lambda: helpers.state(pid) in ("T", None), what="the process to stop")
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def timed(action):
    """(seconds, what it returned)."""
    start = time.monotonic()
    value = action()
    return time.monotonic() - start, value


class BadDisk:
    """A store whose files with `match` in their path can be made to fail (tests/preload/badfs.c), by encoders that are started so."""

    def __init__(self, place, store, preload, match):
        self.store = shutil.copytree(store, place / "bad.vcz")
        self.word = place / "word"
        self.word.write_text("ok")
        self.wrapper = place / "encoder"
        self.wrapper.write_text(f'#!/bin/sh\nLD_PRELOAD={preload} exec {helpers.ENCODERD} "$@"\n')
        self.wrapper.chmod(0o755)
        self.env = {"BADFS": str(self.word), "BADFS_MATCH": match}

    def become(self, word):
        self.word.write_text(word)


# --- stores ----------------------------------------------------------------------------------------------


def made(generated, options=STORE):
    """(store, path of the .bed that plink2 makes of it)."""
    store, vcf = generated(*options.split())
    bed = vcf.parent / "oracle.bed"
    if not bed.exists():
        plink_tools.make_bed(vcf, vcf.parent / "oracle")
    return store, bed


def made_bgen(generated, options=BGEN_STORE):
    """
    (store, copy of its .bgen). The copy is of a mount that nobody disturbs, with one thread and little memory; that such
    bytes say what the VCF says is for test_bgen.
    """
    store, vcf = generated(*options.split())
    bgen = vcf.parent / "oracle.bgen"
    if not bgen.exists():
        with helpers.mounted(store, "--threads", "1", "--memory", "16M", verb="mount-bgen") as m:
            bgen.write_bytes(m.read(".bgen"))
    return store, bgen


def made_view(generated, verb):
    """(store, path of the stream file's right bytes) for a verb of SUFFIX."""
    return made_bgen(generated) if verb == "mount-bgen" else made(generated)
