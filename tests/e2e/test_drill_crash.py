# SPDX-License-Identifier: Apache-2.0
"""Crash drills: the encoder dies in every way, at any moment, under readers of every kind; nobody notices."""

import contextlib
import errno
import os
import random
import resource
import shutil
import signal
import subprocess
import threading
import time

import pytest

import bgen_reader
import drills
import helpers

SANITIZED = helpers.SANITIZED  # a sanitizer would report a SIGSEGV that we sent as if it were a find
MODES = ["seq", "seq", "rand", "rand", "mmap", "mmap", "direct", "mix"]


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def segv(pid):
    os.kill(pid, signal.SIGSEGV)


def abort(pid):
    os.kill(pid, signal.SIGABRT)


def stop_and_kill(pid):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)


def starve(pid):
    """Every allocation fails from now on."""
    resource.prlimit(pid, resource.RLIMIT_AS, (1 << 20, 1 << 20))


def crash(front, how, rng):
    """Lets an encoder live for a random moment, then ends it; its pid."""
    pid = helpers.wait_for(lambda: drills.encoder_pid(front), 20, "an encoder to crash")
    time.sleep(rng.uniform(0.005, 0.06))
    with contextlib.suppress(ProcessLookupError):
        how(pid)
    return pid


# A thousand deaths take half a minute; sanitizers need not see as many.
DEATHS = drills.scaled(90 if SANITIZED else 1000, 5000)


@contextlib.contextmanager
def looking(index):
    """Somebody who opens the .bgi again and again, and counts the rows; yields the errors, and what was read."""
    seen, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            try:
                seen.append(len(bgen_reader.index_rows(index)))
            except OSError as error:
                seen.append(error)
            time.sleep(0.05)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield seen
    finally:
        stop.set()
        looker.join()


@pytest.mark.limit(drills.scaled(240, 2400))
def test_encoder_crashes_under_readers_of_all_files(generated):
    """
    Of the .bed and the .bgen eight each, and of the .bgi, which is made meanwhile: no read fails, no byte is wrong, the front
    stays, and nothing that was sent is held against a chunk.
    """
    store, bgen = drills.made_bgen(generated)
    _, bed = drills.made(generated, drills.BGEN_STORE)
    rng = random.Random(6)
    ways = [kill, kill if SANITIZED else segv, abort, stop_and_kill]
    with contextlib.ExitStack() as stack:
        m = stack.enter_context(helpers.mounted(store, verb="mount"))
        readers = [stack.enter_context(drills.reading(m.path(suffix), oracle, MODES, "-p", "200"))
                   for suffix, oracle in ((".bed", bed), (".bgen", bgen))]  # fmt: skip
        front = m.front
        start = time.monotonic()
        with looking(f"{m.path('.bgen')}.bgi") as looks:
            for i in range(DEATHS):
                if i % 20 == 0:
                    drills.wait_until_served(m)
                crash(m.front, rng.choice(ways), rng)
            took = time.monotonic() - start
            helpers.wait_for(lambda: looks, 30, "a look at the .bgi to end")
        time.sleep(0.5)
        results = [result for each in readers for result in each.finish()]
        log = m.log()
        assert m.process.poll() is None and m.front == front
        descriptors = len(helpers.descriptors(front))
        condemned = drills.status(m)["condemned"]
    drills.assert_all_right(results)
    assert set(looks) == {1500}
    assert condemned == [] and "held back" not in log
    assert descriptors < 40, descriptors
    drills.record(
        "crash",
        deaths=DEATHS,
        seconds=round(took, 1),
        reads=sum(r["ops"] for r in results),
        looks=len(looks),
        failed=sum(r["errors"] for r in results),
        wrong=sum(r["wrong"] for r in results),
        longest_read_ms=max(r["max_us"] for r in results) / 1000,
    )


@pytest.mark.limit(60)
def test_index_while_encoders_die(generated):
    """Who looks for the .bgi waits, and has it."""
    store, oracle = drills.made_view(generated, "mount-bgen")
    rng = random.Random(9)
    with helpers.mounted(store, verb="mount-bgen") as m, drills.reading(m.path(".bgen"), oracle, ["rand", "seq"]) as readers:
        index = f"{m.path('.bgen')}.bgi"
        codes = []

        def look():
            codes.append(helpers.errno_of(lambda: os.stat(index)))

        looker = threading.Thread(target=look)
        looker.start()
        for i in range(drills.scaled(20, 200)):
            if i % 20 == 0:
                drills.wait_until_served(m)
            crash(m.front, rng.choice([kill, abort, stop_and_kill]), rng)
        looker.join()
        assert codes == [0]
        assert len(bgen_reader.index_rows(index)) == 1500
        drills.assert_all_right(readers.finish())


@pytest.mark.skipif(SANITIZED, reason="the sanitizer's own memory is under the limit: what it allocates fails first")
@pytest.mark.limit(120)
@pytest.mark.parametrize("verb", drills.SUFFIX)
def test_encoder_without_memory_under_readers(verb, mount, generated):
    """RLIMIT_AS pulled away under it: it goes on with what it has, or ends; readers notice neither."""
    store, oracle = drills.made_view(generated, verb)
    rng = random.Random(7)
    with mount(store, verb=verb) as m, drills.reading(m.path(drills.SUFFIX[verb]), oracle, MODES, "-p", "200") as readers:
        ended = 0
        for _ in range(drills.scaled(8, 100)):
            starved = crash(m.front, starve, rng)
            time.sleep(0.2)
            ended += not helpers.alive(starved)
            with contextlib.suppress(ProcessLookupError):
                kill(starved)
        results = readers.finish()
    drills.assert_all_right(results)
    drills.record("oom-rlimit", view=verb, starved=drills.scaled(8, 100), ended_by_itself=ended)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's shadow is charged too: no limit lets it answer anything")
@pytest.mark.limit(120)
@pytest.mark.parametrize("verb", drills.SUFFIX)
def test_encoder_killed_by_the_kernel_for_memory(verb, mount, generated, scratch):
    """The out-of-memory killer itself: encoders live in a memory cgroup that has little more than it takes to open."""
    store, oracle = drills.made_view(generated, verb)
    with drills.memory_cgroup() as cgroup:
        if cgroup is None:
            pytest.skip("no memory cgroup can be made here")
        wrapper = scratch / "encoder"
        wrapper.write_text(f'#!/bin/sh\necho $$ > {cgroup.place}/cgroup.procs\nexec {helpers.ENCODERD} "$@"\n')
        wrapper.chmod(0o755)
        with mount(store, "--encoder", wrapper, verb=verb) as m:
            # Enough for any one read; not for long.
            cgroup.limit(cgroup.usage() + (2 << 20))
            with drills.reading(m.path(drills.SUFFIX[verb]), oracle, MODES, "-p", "200") as readers:
                helpers.wait_for(lambda: cgroup.kills() >= drills.scaled(5, 20), drills.scaled(30, 100), "encoders to be killed")
                cgroup.limit(1 << 30)
                time.sleep(1)
                results = readers.finish()
            kills = cgroup.kills()
            assert "held back" not in m.log(), m.log()
            assert "killed by signal 9 (Killed): its cgroup is out of memory" in m.log()
            told = m.log().count("out of memory")
            m.kill_encoder()
            m.read(drills.SUFFIX[verb])
            assert m.log().count("out of memory") == told, "somebody's SIGKILL is not the kernel's"
        drills.assert_all_right(results)
        drills.record("oom-cgroup", view=verb, kills=kills, reads=sum(r["ops"] for r in results))


def test_encoder_goes_first_when_memory_runs_out(mount):
    """The front may be the larger one (sidecars of millions of variants), and must not be chosen for that."""
    with mount(helpers.store("biallelic.vcz")) as m:
        scores = [int(open(f"/proc/{pid}/oom_score_adj", encoding="ascii").read()) for pid in (m.front, m.encoder())]
    assert scores[1] >= scores[0] + 300, scores


@pytest.mark.limit(drills.scaled(60, 180))
@pytest.mark.parametrize("verb", drills.SUFFIX)
def test_time_from_death_to_the_next_read(verb, mount, generated):
    """Less than 100 ms from the kill to the first byte that a new encoder made."""
    store, oracle = drills.made_view(generated, verb)
    due = oracle.read_bytes()
    took = []
    with mount(store, verb=verb) as m, helpers.open_fd(m.path(drills.SUFFIX[verb]), os.O_RDONLY | os.O_DIRECT) as fd:
        for i in range(drills.scaled(50, 200)):
            at = i * 65536 % (len(due) - 4096) // 4096 * 4096
            pid = m.encoder()
            start = time.monotonic()
            os.kill(pid, signal.SIGKILL)
            helpers.wait_for(lambda pid=pid: not helpers.alive(pid), what="its death")
            assert os.pread(fd, 4096, at) == due[at : at + 4096]
            took.append(time.monotonic() - start)
            time.sleep(0.05)
    figures = {f"p{q}_ms": drills.milliseconds(drills.quantile(took, q / 100)) for q in (50, 90, 99)}
    figures["max_ms"] = drills.milliseconds(max(took))
    drills.record("respawn", view=verb, deaths=len(took), **figures)
    # Others may be at work on the machine; doc/TESTING.md has what it takes on a quiet one.
    assert drills.quantile(took, 0.5) < 0.1 * helpers.SLOW, figures
    assert max(took) < 3.0 * helpers.SLOW, figures


@pytest.mark.limit(drills.scaled(60, 180))
@pytest.mark.parametrize("verb", drills.SUFFIX)
def test_readers_get_on_while_every_encoder_dies_young(verb, mount, generated):
    """An encoder lives for 30 ms after its first answer: the pause between two must not grow."""
    store, oracle = drills.made_view(generated, verb)
    path = drills.SUFFIX[verb]
    with mount(store, verb=verb) as m, drills.reading(m.path(path), oracle, ["rand", "direct", "seq"], "-p", "1000") as readers:
        end = time.monotonic() + drills.scaled(5, 60)
        deaths = 0
        while time.monotonic() < end or deaths <= 10:
            drills.wait_until_served(m, 1)
            pid = drills.encoder_pid(m.front)
            if pid is not None:
                time.sleep(0.03 * helpers.WORK)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                deaths += 1
        results = readers.finish()
    drills.assert_all_right(results)
    reads = sum(r["ops"] for r in results)
    drills.record("young-deaths", view=verb, deaths=deaths, reads=reads)
    assert reads > 2 * deaths, (deaths, reads)


@pytest.mark.limit(60)
def test_store_that_changes_between_deaths_is_stale(mount, generated, scratch):
    store, bed = drills.made(generated)
    copy = shutil.copytree(store, scratch / "copy.vcz")
    chunk = copy / "call_genotype" / "0.0.0"
    with mount(copy) as m, drills.reading(m.path(".bed"), bed, MODES, "-p", "500") as readers:
        for _ in range(3):
            crash(m.front, kill, random.Random(8))
        data = chunk.read_bytes()
        chunk.unlink()
        chunk.write_bytes(data + b"x")
        pid = drills.encoder_pid(m.front)  # none if a read has found the change by itself
        if pid is not None:
            kill(pid)
        helpers.wait_for(lambda: helpers.read_errno(m.path(".bed")) == errno.ESTALE, what="ESTALE")
        assert len(os.listdir(m.dir)) == 3 and m.read(".fam")
        results = readers.finish()
    assert sum(r["wrong"] for r in results) == 0, results
    assert {r["complaint"].split()[0] for r in results if r["errors"]} <= {"ESTALE", "SIGBUS"}, results


def test_read_is_not_blamed_for_a_killer_from_outside(mount):
    """Encoder after encoder dies while it is in flight, of signals that somebody sends: it waits for one that lives."""
    environment = {"FAKEENC_LIE": "silent", "FAKEENC_SIZE": "1048576", "FAKEENC_SPAN": "65536"}
    options = ("--encoder", helpers.FAKEENC, "--read-timeout", "30")
    ways = [abort, kill] if SANITIZED else [segv, abort, kill]
    with mount(helpers.store("biallelic.vcz"), *options, env=environment) as m:
        reader = subprocess.Popen(["dd", f"if={m.path('.bed')}", "iflag=direct", "bs=4k", "count=1"], stderr=subprocess.DEVNULL)
        helpers.wait_for(lambda: drills.status(m)["reads"]["pending"] == 1, what="the read to wait")
        for i in range(12):
            pid = helpers.wait_for(lambda: drills.encoder_pid(m.front), 20, "an encoder")
            helpers.wait_for(lambda: drills.status(m)["encoder"]["state"] in ("serving", "not answering"), what="it to be up")
            ways[i % len(ways)](pid)
            helpers.wait_for(lambda pid=pid: drills.encoder_pid(m.front) not in (None, pid), 20, "the next encoder")
        status = drills.status(m)
        assert status["condemned"] == [] and status["reads"]["pending"] == 1 and reader.poll() is None
        m.stop()
        assert reader.wait(10) != 0
