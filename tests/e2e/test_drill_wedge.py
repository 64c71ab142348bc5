"""Wedge drills: an encoder that stands still holds up nobody who does not need it, and is replaced."""

import errno
import os
import signal
import subprocess
import time

import pytest

import drills
import helpers


def look(m):
    """What needs no encoder: the listing, an attribute, a small file. Seconds for all three."""
    def once():
        assert len(os.listdir(m.dir)) == 3
        m.path(".bed").stat()
        helpers.drop_cache(m.path(".fam"))
        assert m.read(".fam")
    return drills.timed(once)[0]


@pytest.mark.limit(60)
def test_metadata_and_sidecars_do_not_wait_for_a_stopped_encoder(mount, generated):
    """p99 50 ms, and never a second, while stream readers wait."""
    store, bed = drills.made(generated)
    with mount(store) as m:
        with drills.stopped(m.encoder()):
            with drills.reading(m.path(".bed"), bed, ["rand", "direct", "seq", "mmap"]):
                end = time.monotonic() + drills.scaled(3, 20)
                took = []
                while time.monotonic() < end:
                    took.append(look(m))
                figures = {"p99_ms": drills.milliseconds(drills.quantile(took, 0.99)), "max_ms": drills.milliseconds(max(took))}
                drills.record("wedge-metadata", looks=len(took), **figures)
                assert drills.quantile(took, 0.99) < 0.05 * helpers.SLOW, figures
                assert max(took) < 1 * helpers.SLOW, figures
                start = time.monotonic()
                m.stop(seconds=5)
                assert time.monotonic() - start < 1 * helpers.SLOW


@pytest.mark.limit(60)
def test_reads_fail_at_their_deadline_or_are_answered(mount, generated):
    store, bed = drills.made(generated)
    due = bed.read_bytes()
    with mount(store, "--read-timeout", "2") as m:
        encoder = m.encoder()
        with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
            with drills.stopped(encoder):
                start = time.monotonic()
                with pytest.raises(OSError) as caught:
                    os.pread(fd, 4096, 0)
                assert caught.value.errno == errno.EIO
                assert 1.8 < time.monotonic() - start < 3 * helpers.SLOW
            time.sleep(0.3)  # what has just missed its deadline fails at once
            assert os.pread(fd, 4096, 0) == due[:4096]
            with drills.stopped(encoder):
                waker = subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -CONT {encoder}"])
                assert os.pread(fd, 4096, 1 << 20) == due[1 << 20 : (1 << 20) + 4096]
                waker.wait()
        assert m.encoder() == encoder


@pytest.mark.limit(60)
def test_wedged_encoder_is_replaced(mount, generated):
    """At a limit of its own (8 s of silence), before the reader's deadline: the reader gets its bytes."""
    store, bed = drills.made(generated)
    due = bed.read_bytes()
    with mount(store) as m:
        wedged = m.encoder()
        os.kill(wedged, signal.SIGSTOP)
        with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
            took, data = drills.timed(lambda: os.pread(fd, 4096, 0))
        assert data == due[:4096]
        assert not helpers.alive(wedged) and m.encoder() != wedged
    drills.record("wedge-replaced", seconds=round(took, 1))
    assert took < 12 * helpers.SLOW
