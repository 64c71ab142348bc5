# SPDX-License-Identifier: Apache-2.0
"""A store on a bad file system: errors for what is affected, nothing else; and all is well once the disk is."""

import errno
import os
import shutil
import threading
import time

import pytest

import drills
import helpers

# tests/preload/badfs.c has to find out which file a descriptor is, which the sandbox does not let a nobody do.
OPTIONS = ("--no-sandbox", "--read-timeout", "3")


@pytest.fixture
def disk(scratch, generated, preload):
    if helpers.SANITIZED:
        pytest.skip("a sanitizer wants to be preloaded first")
    store, bed = drills.made(generated)
    disk = drills.BadDisk(scratch, store, preload, "call_genotype/0.")
    disk.options = ("--encoder", disk.wrapper, *OPTIONS)
    disk.due = bed.read_bytes()
    return disk


def outcomes(path, due, size=65536):
    """{errno (0: right bytes): pieces} of the whole file, uncached."""
    seen = {}
    with helpers.open_fd(path, os.O_RDONLY | os.O_DIRECT) as fd:
        for at in range(0, len(due), size):
            try:
                got = os.pread(fd, size, at)
                assert got == due[at : at + size], f"wrong bytes at {at}"
                seen.setdefault(0, []).append(at)
            except OSError as error:
                seen.setdefault(error.errno, []).append(at)
    return seen


@pytest.mark.parametrize("word", ["eio", "empty"])
def test_chunks_that_cannot_be_read(word, disk, mount):
    """Their rows fail, the rest is right; and they are right once the disk is."""
    with mount(disk.store, *disk.options, env=disk.env) as m:
        disk.become(word)
        seen = outcomes(m.path(".bed"), disk.due)
        assert set(seen) == {0, errno.EIO}, {k: len(v) for k, v in seen.items()}
        # The first of six chunks along the variants, and no more than a piece around it.
        assert max(seen[errno.EIO]) <= len(disk.due) / 6 + 65536 and min(seen[0]) <= len(disk.due) / 6 + 131072
        assert m.read(".fam") and len(os.listdir(m.dir)) == 3
        assert "call_genotype" in m.log()
        disk.become("ok")
        assert set(outcomes(m.path(".bed"), disk.due)) == {0}


def test_short_reads_are_read_on(disk, mount):
    """A file system may return less than was asked for; only nothing at all is the end."""
    with mount(disk.store, *disk.options, env=disk.env) as m:
        disk.become("short")
        assert set(outcomes(m.path(".bed"), disk.due)) == {0}


def test_stalled_chunks_hold_up_their_readers_alone(disk, mount):
    """Readers of other chunks go on, those of the stalled ones get EIO in time or their bytes."""
    last = len(disk.due) // 65536 * 65536
    with mount(disk.store, *disk.options, "--threads", "2", env=disk.env) as m:
        disk.become("stall")
        start = time.monotonic()
        assert helpers.read_errno(m.path(".bed"), 4096) == errno.EIO
        assert time.monotonic() - start < 4.5 * helpers.SLOW
        disk.become("ok")
        helpers.wait_for(lambda: helpers.read_errno(m.path(".bed"), 4096) == 0, 20, "the disk's return")
        disk.become("stall")
        wake = threading.Timer(1, disk.become, ("ok",))
        wake.start()
        with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
            assert os.pread(fd, 65536, last) == disk.due[last:]
            assert os.pread(fd, 65536, 65536) == disk.due[65536:131072]
        wake.join()


def test_open_on_a_bad_disk_is_refused(disk, scratch):
    disk.env["BADFS_MATCH"] = "variant_position/0"
    disk.become("eio")
    done = helpers.refused(disk.store, *disk.options, env=disk.env)
    assert done.returncode == 1 and "variant_position" in done.stderr


def test_store_that_disappears_and_comes_back(mount, generated, scratch):
    """What was open or cached may still be read; what is not is an error until the store is there again."""
    store, bed = drills.made(generated)
    due = bed.read_bytes()
    copy = shutil.copytree(store, scratch / "copy.vcz")
    with mount(copy, "--read-timeout", "2") as m:
        copy.rename(scratch / "gone.vcz")
        m.kill_encoder()
        assert set(outcomes(m.path(".bed"), due, len(due))) <= {errno.EIO, errno.ESTALE}
        assert m.read(".fam") and len(os.listdir(m.dir)) == 3
        (scratch / "gone.vcz").rename(copy)
        code = helpers.wait_for(lambda: {helpers.read_errno(m.path(".bed"))} - {errno.EIO}, 20, "an answer")
        assert code <= {0, errno.ESTALE}
        if code == {0}:
            assert set(outcomes(m.path(".bed"), due)) == {0}
