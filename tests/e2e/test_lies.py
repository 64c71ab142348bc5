# SPDX-License-Identifier: Apache-2.0
"""
An encoder that lies cannot crash or corrupt the front: tests/tools/fakeenc.c tells one lie at a time. Its files
are made up, and known here, so that wrong bytes would be noticed.
"""

import concurrent.futures
import contextlib
import errno
import os
import pty
import re
import struct
import time

import pytest

import helpers

SIZE = 1 << 20
SPAN = 64 << 10


def stream():
    """The bytes of fakeenc's .bed."""
    nwords = SIZE // 8
    words = ((w * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF for w in range(1, nwords + 1))
    return struct.pack(f"<{nwords}Q", *words)


def sidecar():
    return b"".join(b"fakeenc sidecar %d\n" % line for line in range(1000))


STREAM, SIDECAR = stream(), sidecar()


def kinds_in_source():
    """Every KIND that fakeenc's opening comment lists."""
    text = (helpers.ROOT / "tests/tools/fakeenc.c").read_text().partition("KIND, before the mount:")[2]
    text = re.sub(r"\(.*?\)", "", text.partition("*/")[0], flags=re.DOTALL)
    text = re.sub(r"read-(kill|fail):[^*]*", r"read-\1", text)
    return set(re.findall(r"\b[a-z]+(?:-[a-z]+)*\b", text.replace("at a read", "").replace("at a resume", "")))


BEFORE_THE_MOUNT = [
    "hello-silent", "hello-version", "hello-garbage", "hello-exit",
    "file-index", "file-slash", "file-dot", "file-twice", "file-kind", "file-unsealed", "file-short",
    "opened-count", "opened-id", "open-error", "open-exit",
    "arena-unsealed", "arena-short", "arena-tiny", "arena-null",
]  # fmt: skip
HARMLESS = ["file-huge", "open-notice", "open-progress"]
# The encoder is dropped, and the next one is asked again.
AT_A_READ = [
    "span-id", "span-before", "span-after", "span-eof", "span-at", "span-overflow", "span-twice", "lease-twice",
    "wrong-type", "garbage", "empty-map", "extra-fd", "close", "exit", "crash", "held",
]  # fmt: skip
# The encoder owes an answer and says nothing.
MUTE = ["silent", "stop"]
ANSWERED = {"error": errno.EIO, "estale": errno.ESTALE}
AT_A_RESUME = {
    "resume-changed": {errno.ESTALE},
    "resume-fingerprint": {errno.ESTALE, errno.EIO},
    "resume-files": {errno.EIO},
    "resume-exit": {errno.EIO},
    "resume-error": {errno.EIO, errno.ESTALE},
}


def lying(kind, **more):
    """Environment for fakeenc."""
    return {"FAKEENC_LIE": kind, "FAKEENC_SIZE": str(SIZE), "FAKEENC_SPAN": str(SPAN), **more}


@contextlib.contextmanager
def lying_mount(kind, *options, **more):
    options = ("--encoder", helpers.FAKEENC, "--read-timeout", "1", *options)
    with helpers.mounted(helpers.store("biallelic.vcz"), *options, env=lying(kind, **more)) as m:
        yield m


def pread_checked(fd, size, at):
    return helpers.pread_outcome(fd, size, at, STREAM)


def page_outcomes(path, pages=range(SIZE // 4096)):
    """errno (0: right bytes) of each page, read on its own."""
    with helpers.open_fd(path) as fd:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        return [pread_checked(fd, 4096, page * 4096) for page in pages]


def assert_sidecars_are_served(m):
    assert m.read(".bim") == SIDECAR
    assert m.read(".fam") == SIDECAR


def test_every_lie_is_told_here():
    told = {*BEFORE_THE_MOUNT, *HARMLESS, *AT_A_READ, *MUTE, *ANSWERED, *AT_A_RESUME, "read-kill", "read-fail"}
    assert told == kinds_in_source()


def test_honest_encoder():
    with lying_mount("") as m:
        assert m.read(".bed") == STREAM
        assert_sidecars_are_served(m)


@pytest.mark.parametrize("kind", BEFORE_THE_MOUNT)
def test_lie_before_the_mount(kind, refused):
    options = ("--encoder", helpers.FAKEENC, "--read-timeout", "2")
    done = refused(helpers.store("biallelic.vcz"), *options, env=lying(kind))
    assert done.returncode == 1
    assert done.stderr.strip()


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_is_no_lie(kind):
    with lying_mount(kind) as m:
        assert page_outcomes(m.path(".bed"), range(16)) == [0] * 16
        assert_sidecars_are_served(m)


def assert_printable(text):
    """fakeenc's words end with what would clear a screen and begin a line in our name."""
    assert "?[2J??vczfs: forged" in text
    assert not set(text) & {"\x1b", "\x7f"} and not re.search("^vczfs: forged", text, re.MULTILINE), text


def test_notice_reaches_the_user():
    with lying_mount("open-notice") as m:
        assert "all of this is made up" in m.log()
        assert_printable(m.log())


def test_words_of_an_encoder_are_printable(refused):
    done = refused(helpers.store("biallelic.vcz"), "--encoder", helpers.FAKEENC, env=lying("open-error"))
    assert_printable(done.stderr)
    with lying_mount("read-fail:5") as m:
        assert page_outcomes(m.path(".bed"), [5 * SPAN // 4096]) == [errno.EIO]
        assert_printable(m.log())


def test_progress_is_shown_on_a_terminal():
    """fakeenc takes a second to open, and says how far it is; from that comes how long it will take."""
    ours, theirs = pty.openpty()
    with helpers.scratch() as place:
        (place / "mnt").mkdir()
        options = ["--encoder", helpers.FAKEENC]
        front = helpers.start_front(
            helpers.store("biallelic.vcz"), place / "mnt", options, theirs, lying("open-progress")
        )
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # EIO: the terminal was closed
            while b" s left" not in seen and (more := os.read(ours, 1000)):
                seen += more
        helpers.wait_for(lambda: helpers.answers(place / "mnt"), what="the mount")
        front.terminate()
        assert front.wait(5 * helpers.SLOW) == 0
        os.close(ours)
    assert re.search(rb"pretending:  ?\d+%, \d s left", seen)
    helpers.assert_no_strays()


def test_progress_is_not_shown_elsewhere():
    with lying_mount("open-progress") as m:
        assert m.log() == ""


@pytest.mark.parametrize("kind", AT_A_READ)
def test_lie_that_is_told_once(kind, scratch):
    """The next encoder is honest: the reader notices nothing."""
    with lying_mount(f"{kind}:3", FAKEENC_ONCE=str(scratch / "told")) as m:
        assert helpers.pread_all(m.path(".bed")) == STREAM
        assert_sidecars_are_served(m)


@pytest.mark.parametrize("kind", ["span-at", "garbage", "crash", "held", *MUTE])
def test_lie_that_is_told_at_every_first_read(kind):
    """No encoder is honest: EIO, and the rest of the mount goes on."""
    with lying_mount(kind) as m:
        assert page_outcomes(m.path(".bed"), [3]) == [errno.EIO]
        assert_sidecars_are_served(m)


@pytest.mark.parametrize("kind", MUTE)
def test_encoder_that_falls_silent_is_replaced(kind, scratch):
    with lying_mount(f"{kind}:2", FAKEENC_ONCE=str(scratch / "told")) as m:
        assert set(page_outcomes(m.path(".bed"), range(0, 256, 16))) <= {0, errno.EIO}
        helpers.wait_for(lambda: set(page_outcomes(m.path(".bed"))) == {0}, 15, "reads to work again")


@pytest.mark.parametrize("kind", ANSWERED)
def test_error_that_the_encoder_answers_with(kind):
    with lying_mount(kind) as m:
        # Past the page cache, which would ask again where the first answer was an error.
        with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
            assert pread_checked(fd, 4096, 7 * 4096) == ANSWERED[kind]
            assert pread_checked(fd, 4096, 7 * 4096) == 0
        assert_sidecars_are_served(m)


@pytest.mark.parametrize("kind", ["span-id", "span-at", "garbage", "crash", "span-twice"])
def test_lie_among_parallel_readers(kind, scratch):
    def read(turn):
        outcomes = set()
        with helpers.open_fd(m.path(".bed")) as fd:
            for i in range(64):
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                outcomes.add(pread_checked(fd, 20000, (i * 37 + turn * 11) % 256 * 4096))
        return outcomes

    with lying_mount(f"{kind}:10", FAKEENC_ONCE=str(scratch / "told")) as m:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert list(pool.map(read, range(4))) == [{0}] * 4


@pytest.mark.parametrize("kind", AT_A_RESUME)
def test_lie_at_a_resume(kind):
    with lying_mount(kind) as m:
        assert page_outcomes(m.path(".bed"), [0]) == [0]
        for pid in helpers.children(m.front):
            os.kill(pid, 9)
        assert set(page_outcomes(m.path(".bed"), [0])) <= AT_A_RESUME[kind]
        assert_sidecars_are_served(m)


def test_span_that_kills_every_encoder_is_condemned():
    """EIO for what lies in it, and the right bytes for everything else."""
    bad = 5
    with lying_mount(f"read-kill:{bad}", "--read-timeout", "10") as m:
        first, last = bad * SPAN // 4096, (bad + 1) * SPAN // 4096
        assert page_outcomes(m.path(".bed"), [first]) == [errno.EIO]
        others = [page for page in range(SIZE // 4096) if not first <= page < last]
        assert page_outcomes(m.path(".bed"), others) == [0] * len(others)
        assert_sidecars_are_served(m)


def test_read_that_begins_well_and_goes_on_into_damage_fails_at_once():
    """Its first half waits where it is for the second; the second is not asked for again and again."""
    bad = 5
    with lying_mount(f"read-fail:{bad}", "--read-timeout", "10") as m, helpers.open_fd(m.path(".bed")) as fd:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        begun = time.monotonic()
        assert os.pread(fd, 16384, bad * SPAN - 8192) == STREAM[bad * SPAN - 8192 : bad * SPAN]
        assert time.monotonic() - begun < 5  # and not after a part of its 10 s
        assert m.log().count("made-up damage") < 3


def test_unmount_while_the_encoder_is_silent():
    with lying_mount("silent") as m:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            reader = pool.submit(page_outcomes, m.path(".bed"), [0])
            m.stop(seconds=2)
            with contextlib.suppress(OSError):
                assert reader.result() != [0]
