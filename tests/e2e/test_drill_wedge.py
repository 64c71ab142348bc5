# SPDX-License-Identifier: Apache-2.0
"""Wedge drills: an encoder that stands still holds up nobody who does not need it, and is replaced."""

import concurrent.futures
import errno
import os
import signal
import subprocess
import time

import pytest

import bgen_reader
import drills
import helpers


def look(m, stream, small):
    """What needs no encoder: the listing, an attribute, a small file. Seconds for all three."""
    def once():
        assert len(os.listdir(m.dir)) == 3
        m.path(stream).stat()
        helpers.drop_cache(m.path(small))
        assert m.read(small)
    return drills.timed(once)[0]


@pytest.mark.limit(60)
@pytest.mark.parametrize("verb", drills.SUFFIX)
def test_metadata_and_sidecars_do_not_wait_for_a_stopped_encoder(verb, mount, generated):
    """p99 50 ms, and never a second, while stream readers wait. (A .bgi that nobody has asked for yet is no file yet.)"""
    store, oracle = drills.made_view(generated, verb)
    suffix = drills.SUFFIX[verb]
    small = ".fam" if suffix == ".bed" else ".sample"
    with mount(store, verb=verb) as m:
        with drills.stopped(m.encoder()):
            with drills.reading(m.path(suffix), oracle, ["rand", "direct", "seq", "mmap"]):
                end = time.monotonic() + drills.scaled(3, 20)
                took = []
                while time.monotonic() < end:
                    took.append(look(m, suffix, small))
                figures = {"p99_ms": drills.milliseconds(drills.quantile(took, 0.99)), "max_ms": drills.milliseconds(max(took))}
                drills.record("wedge-metadata", view=verb, looks=len(took), **figures)
                assert drills.quantile(took, 0.99) < 0.05 * helpers.SLOW, figures
                assert max(took) < 1 * helpers.SLOW, figures
                start = time.monotonic()
                m.stop(seconds=5)
                drills.record("wedge-unmount", view=verb, ms=drills.milliseconds(time.monotonic() - start))
                assert time.monotonic() - start < 1 * helpers.SLOW


@pytest.mark.limit(60)
def test_reads_fail_at_their_deadline_or_are_answered(mount, generated):
    """With a deadline that comes before an encoder is given up (2 s at least)."""
    store, bed = drills.made(generated)
    due = bed.read_bytes()
    with mount(store, "--read-timeout", "1") as m:
        encoder = m.encoder()
        with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
            with drills.stopped(encoder):
                start = time.monotonic()
                with pytest.raises(OSError) as caught:
                    os.pread(fd, 4096, 0)
                assert caught.value.errno == errno.EIO
                assert 0.8 < time.monotonic() - start < 2 * helpers.SLOW
            time.sleep(0.3)  # what has just missed its deadline fails at once
            assert os.pread(fd, 4096, 0) == due[:4096]
            with drills.stopped(encoder):
                waker = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -CONT {encoder}"])
                assert os.pread(fd, 4096, 1 << 20) == due[1 << 20 : (1 << 20) + 4096]
                waker.wait()
        assert m.encoder() == encoder


@pytest.mark.limit(60)
@pytest.mark.parametrize("suffix", [".bed", ".bgen.bgi"])
def test_time_in_which_everything_was_stopped_does_not_count(suffix, mount, generated):
    """A container that is paused and goes on: who read when it was is not told that there was no answer."""
    verb = "mount-plink" if suffix == ".bed" else "mount-bgen"
    store, oracle = drills.made_view(generated, verb)
    with mount(store, "--read-timeout", "3", verb=verb) as m:
        def ask():
            if suffix != ".bed":
                return os.stat(m.dir / f"{next(m.dir.glob('*.bgen')).name}.bgi").st_size > 0
            with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
                return os.pread(fd, 4096, 0) == oracle.read_bytes()[:4096]

        encoder = m.encoder()
        with concurrent.futures.ThreadPoolExecutor() as pool, drills.stopped(encoder):
            asked = pool.submit(ask)
            time.sleep(1.4)  # the front has begun to wonder
            with drills.stopped(m.front):
                waker = subprocess.Popen(["sh", "-c", f"sleep 6; kill -CONT {encoder}"])
                waker.wait()
            assert asked.result(20)
        assert m.encoder() == encoder, m.log()


# Seconds: when it is given up (half the deadline, 2 at least, 8 at most), and when a read works again at the latest.
# That the silence begins just after an encoder has been looked at costs half as much again.
GIVEN_UP = {"1": (2, 3), "3": (2, 3), "6": (3, 4.5), "30": (8, 12)}


@pytest.mark.limit(60)
@pytest.mark.parametrize("verb", drills.SUFFIX)
@pytest.mark.parametrize("timeout", GIVEN_UP)
def test_wedged_encoder_is_replaced(timeout, verb, mount, generated):
    """A deadline of 4 s and more comes after that, and no reader sees more than a delay; below, reads work soon after."""
    if timeout == "30" and verb == "mount-bgen":
        pytest.skip("eight seconds once are enough")
    store, oracle = drills.made_view(generated, verb)
    with oracle.open("rb") as due_file:
        due = due_file.read(4096)
    soonest, latest = GIVEN_UP[timeout]
    with mount(store, "--read-timeout", timeout, verb=verb) as m:
        wedged = m.encoder()
        os.kill(wedged, signal.SIGSTOP)
        with helpers.open_fd(m.path(drills.SUFFIX[verb]), os.O_RDONLY | os.O_DIRECT) as fd:
            start = time.monotonic()
            failed = []
            while (code := helpers.errno_of(lambda: os.pread(fd, 4096, 0))) != 0:
                failed.append(code)
            took = time.monotonic() - start
            assert os.pread(fd, 4096, 0) == due
        assert set(failed) <= {errno.EIO} and (not failed or int(timeout) < 4), (failed, took)
        assert not helpers.alive(wedged) and m.encoder() != wedged
    drills.record("wedge-replaced", view=verb, read_timeout=int(timeout), seconds=round(took, 1))
    assert soonest - 0.2 < took < (latest + 1) * helpers.SLOW


@pytest.mark.limit(drills.scaled(60, 180))
def test_wedged_again_and_again(mount, generated):
    """Every encoder is stopped as soon as it serves: each read is late, and right."""
    store, bed = drills.made(generated)
    due = bed.read_bytes()
    with mount(store, "--read-timeout", "4") as m, helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
        for i in range(drills.scaled(3, 30)):
            at = i * 500 * 4096 % len(due) // 4096 * 4096
            os.kill(m.encoder(), signal.SIGSTOP)
            assert os.pread(fd, 4096, at) == due[at : at + 4096]


@pytest.mark.limit(60)
def test_index_that_a_wedged_encoder_was_asked_for(generated):
    """The next encoder makes it; and who cannot wait so long has an error in time, not the listing."""
    store, _ = drills.made_view(generated, "mount-bgen")
    with helpers.mounted(store, "--read-timeout", "6", verb="mount-bgen") as m:
        os.kill(m.encoder(), signal.SIGSTOP)
        index = f"{m.path('.bgen')}.bgi"
        took, _ = drills.timed(lambda: os.listdir(m.dir))
        assert took < 1 * helpers.SLOW
        took, rows = drills.timed(lambda: bgen_reader.index_rows(index))
        assert len(rows) == 1500 and took < 6 * helpers.SLOW
    with helpers.mounted(store, "--read-timeout", "1", verb="mount-bgen") as m:
        encoder = m.encoder()
        with drills.stopped(encoder):
            took, code = drills.timed(lambda: helpers.errno_of(lambda: os.stat(f"{m.path('.bgen')}.bgi")))
            assert code == errno.EIO and 0.8 < took < 2 * helpers.SLOW
        helpers.wait_for(lambda: helpers.errno_of(lambda: os.stat(f"{m.path('.bgen')}.bgi")) == 0, 10, "the index")
