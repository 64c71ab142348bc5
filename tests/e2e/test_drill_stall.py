# SPDX-License-Identifier: Apache-2.0
"""A store on a file system that hangs, and nowhere to write: errors for what is affected, nothing else."""

import contextlib
import errno
import os
import resource
import signal
import statistics
import subprocess
import threading
import time

import pytest

import bgen_reader
import drills
import helpers
import test_bgen

FIRST = "call_genotype/0."  # the genotypes of the first sixth of the variants
PAGE = 4096


@contextlib.contextmanager
def disk_below(store, place, match):
    """Shows the store on a file system (tests/tools/badstore.c) that does as become() says."""
    mnt, word = place / "disk", place / "word"
    mnt.mkdir()
    word.write_text("ok")
    process = subprocess.Popen([helpers.BUILD / "tools/badstore", store, mnt, word, match], stderr=subprocess.DEVNULL)

    def become(text):
        word.write_text(text)

    try:
        helpers.wait_for(lambda: helpers.answers(mnt), what="the bad disk to be mounted")
        yield mnt, become
    finally:
        become("ok")
        process.terminate()
        process.wait(10)


@pytest.fixture(params=drills.SUFFIX)
def verb(request):
    return request.param


def view(generated, verb):
    """(store, right bytes of the stream file)."""
    store, oracle = drills.made_view(generated, verb)
    return store, oracle.read_bytes()


def stream(m, verb):
    return m.path(drills.SUFFIX[verb])


def pages(due):
    """{part of the file: offset}: in the first chunk along the variants, and elsewhere."""
    return {part: int(part * len(due)) // PAGE * PAGE for part in (0.02, 0.3, 0.5, 0.7, 0.95)}


def outcome(fd, at, due):
    return helpers.pread_outcome(fd, PAGE, at, due)


@contextlib.contextmanager
def opened(path):
    with helpers.open_fd(path, os.O_RDONLY | os.O_DIRECT) as fd:
        yield fd


def slowest_look(m, seconds):
    """The longest that what needs no store took in all that time, after the kernel forgot what it had."""
    names = [name for name in os.listdir(m.dir) if not name.endswith((".bed", ".bgen", ".bgi"))]
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.monotonic()
        assert len(os.listdir(m.dir)) == 3
        for name in names:
            os.stat(m.dir / name)
            helpers.drop_cache(m.dir / name)
            assert (m.dir / name).read_bytes()
        took.append(time.monotonic() - start)
        time.sleep(0.02)
    return max(took)


@pytest.mark.limit(90)
def test_chunk_that_hangs_holds_up_its_own_readers_alone(verb, mount, generated, scratch):
    """Each worker may hang in it: others take over. All without sandbox exceptions, by the encoder as it is."""
    store, due = view(generated, verb)
    with disk_below(store, scratch, FIRST) as (disk, become):
        with mount(disk, "--read-timeout", "4", "--threads", "1", verb=verb) as m, opened(stream(m, verb)) as fd:
            first, *others = pages(due).values()
            encoder = m.encoder()
            become("stall")
            start = time.monotonic()
            assert outcome(fd, first, due) == errno.EIO
            assert 3.5 < time.monotonic() - start < 6 * helpers.SLOW
            for at in others:  # none of which had been read before
                took, code = drills.timed(lambda at=at: outcome(fd, at, due))
                assert code == 0 and took < 3 * helpers.SLOW, (at, code, took)
            assert slowest_look(m, 0.5) < 1 * helpers.SLOW
            become("ok")
            helpers.wait_for(lambda: outcome(fd, first, due) == 0, 10, "the disk's return to be noticed")
            assert m.encoder() == encoder
            assert m.log().count("no answer for") >= 1


@pytest.mark.limit(90)
def test_many_readers_of_what_hangs_hold_up_nobody(mount, generated, scratch):
    """64 who read what hangs have slots of the store's, and not the one thread that decodes for the others."""
    store, due = view(generated, "mount-plink")
    with disk_below(store, scratch, FIRST) as (disk, become):
        with mount(disk, "--read-timeout", "8", "--threads", "1") as m, opened(stream(m, "mount-plink")) as fd:
            hangs, others = len(due) // 7, range(len(due) // 5, len(due) - PAGE, len(due) // 24)
            codes = []
            become("stall")

            def read(at):  # as a reader of its own, who wants no more than that
                with opened(stream(m, "mount-plink")) as own:
                    codes.append(outcome(own, at, due))

            readers = [threading.Thread(target=read, args=(hangs // 64 * i // PAGE * PAGE,)) for i in range(64)]
            for reader in readers:
                reader.start()
            time.sleep(0.5)
            took = []
            for at in others:  # none of which had been read before
                seconds, code = drills.timed(lambda at=at: outcome(fd, at // PAGE * PAGE, due))
                assert code == 0, at
                took.append(seconds)
            assert statistics.median(took) < 0.1 * helpers.SLOW, took
            assert not codes, took
            for reader in readers:
                reader.join()
            assert set(codes) == {errno.EIO}
            become("ok")
            helpers.wait_for(lambda: outcome(fd, 0, due) == 0, 10, "the disk's return to be noticed")


@pytest.mark.limit(90)
def test_chunk_that_hangs_holds_up_nobody_after_a_death_either(mount, generated, scratch):
    """After a death what was in flight is asked for one by one. One that hangs must not take the others' time."""
    store, due = view(generated, "mount-plink")
    with disk_below(store, scratch, FIRST) as (disk, become):
        with mount(disk, "--read-timeout", "12") as m, opened(stream(m, "mount-plink")) as fd:
            first, *others = pages(due).values()
            codes = {}

            def read(at):
                codes[at] = outcome(fd, at, due)

            become("stall")
            readers = [threading.Thread(target=read, args=(at,)) for at in (first, *others)]
            readers[0].start()
            time.sleep(0.3)
            os.kill(m.encoder(), signal.SIGSTOP)  # so that the others are in flight, too, when it dies
            for reader in readers[1:]:
                reader.start()
            for reader in readers:
                reader.join()
            assert codes.pop(first) == errno.EIO
            assert set(codes.values()) == {0}, (codes, m.log())
            become("ok")
            helpers.wait_for(lambda: outcome(fd, first, due) == 0, 10, "the disk's return to be noticed")


@pytest.mark.limit(90)
def test_disk_that_hangs_altogether(verb, mount, generated, scratch):
    """Reads fail at their deadline; listing, stat and small files do not wait; then all is well without a new encoder."""
    store, due = view(generated, verb)
    with disk_below(store, scratch, "") as (disk, become):
        with mount(disk, "--read-timeout", "2", verb=verb) as m, opened(stream(m, verb)) as fd:
            encoder = m.encoder()
            become("hang")
            codes = {}

            def read(part, at):
                start = time.monotonic()
                codes[part] = outcome(fd, at, due), time.monotonic() - start

            readers = [threading.Thread(target=read, args=item) for item in pages(due).items()]
            for reader in readers:
                reader.start()
            slowest = slowest_look(m, 1.5)
            for reader in readers:
                reader.join()
            drills.record("stall-metadata", view=verb, max_ms=drills.milliseconds(slowest))
            assert slowest < 1 * helpers.SLOW
            for code, took in codes.values():
                assert code == errno.EIO and 1.5 < took < 4 * helpers.SLOW, codes
            if verb == "mount-bgen":
                took, code = drills.timed(lambda: helpers.errno_of(lambda: os.stat(f"{stream(m, verb)}.bgi")))
                assert code == errno.EIO and 1.5 < took < 5 * helpers.SLOW, (code, took)
            become("ok")
            helpers.wait_for(lambda: all(outcome(fd, at, due) == 0 for at in pages(due).values()), 10, "the disk's return")
            assert m.encoder() == encoder
            if verb == "mount-bgen":
                assert bgen_reader.index_rows(f"{stream(m, verb)}.bgi")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make the kernel forget inodes")
def test_disk_that_numbers_inodes_anew(verb, mount, generated, scratch):
    """FUSE file systems may, and some overlays, when the kernel was short of memory: that is no change of the store."""

    def forget():
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as knob:
            knob.write("2")

    store, due = view(generated, verb)
    with disk_below(store, scratch, FIRST) as (disk, _):
        numbers = {os.stat(entry).st_ino for entry in os.scandir(disk)}
        with mount(disk, verb=verb) as m, opened(stream(m, verb)) as fd:
            for at in pages(due).values():
                forget()
                assert outcome(fd, at, due) == 0
            m.kill_encoder()
            forget()
            assert all(outcome(fd, at, due) == 0 for at in pages(due).values()), m.log()
        assert numbers != {os.stat(entry).st_ino for entry in os.scandir(disk)}, "this disk's numbers last"


@pytest.mark.limit(60)
def test_unmount_while_the_disk_hangs(verb, mount, generated, scratch):
    """Within a second, though the encoder cannot be killed; it ends when the disk lets it go."""
    store, due = view(generated, verb)
    with disk_below(store, scratch, "") as (disk, become):
        with mount(disk, verb=verb) as m:
            become("hang")
            reader = subprocess.Popen(["cat", stream(m, verb)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            helpers.wait_for(lambda: helpers.state(reader.pid) in "DS" and helpers.comm(reader.pid) == "cat")
            time.sleep(0.3)
            start = time.monotonic()
            m.stop(seconds=5)
            took = time.monotonic() - start
            drills.record("stall-unmount", view=verb, ms=drills.milliseconds(took))
            assert took < 1 * helpers.SLOW and not helpers.is_mounted(m.dir)
            become("ok")
            assert reader.wait(5 * helpers.SLOW) != 0
            helpers.assert_no_strays()  # an encoder that hung in the kernel could not be waited for


@pytest.mark.limit(60)
def test_encoder_that_hangs_in_opening_again_is_replaced(mount, generated, scratch):
    """An encoder died, its successor found the disk hanging: it is given up, and one that finds it well serves."""
    store, due = view(generated, "mount-plink")
    with disk_below(store, scratch, ".zattrs") as (disk, become):
        with mount(disk, "--read-timeout", "2") as m, opened(m.path(".bed")) as fd:
            become("hang")
            m.kill_encoder()
            assert outcome(fd, 0, due) == errno.EIO
            stuck = m.encoder()
            helpers.wait_for(lambda: "does not get on with opening" in m.log(), 20, "it to be given up")
            become("ok")
            helpers.wait_for(lambda: outcome(fd, 0, due) == 0, 20, "reads to work again")
            assert m.encoder() != stuck


@pytest.mark.parametrize("word, code", [("eio", errno.EIO), ("empty", errno.EIO), ("short", 0)])
def test_disk_that_fails(word, code, verb, mount, generated, scratch):
    """As test_drill_store has it, but with the sandbox, below a real file system, and for every format."""
    store, due = view(generated, verb)
    with disk_below(store, scratch, FIRST) as (disk, become):
        with mount(disk, verb=verb) as m, opened(stream(m, verb)) as fd:
            first, *others = pages(due).values()
            become(word)
            assert outcome(fd, first, due) == code
            assert [outcome(fd, at, due) for at in others] == [0] * len(others)
            assert ("call_genotype" in m.log()) == (code != 0)
            become("ok")
            assert outcome(fd, first, due) == 0


# --- nowhere to write ------------------------------------------------------------------------------------


@pytest.fixture
def full(scratch):
    """A directory on a file system on which nothing more can be written."""
    place = scratch / "full"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "vczfs-full", place], check=False)
    if done.returncode != 0:
        pytest.skip("cannot mount a tmpfs")
    (place / "access").touch()
    (place / "log").touch()
    with contextlib.suppress(OSError), open(place / "ballast", "wb", buffering=0) as out:
        while True:
            out.write(bytes(4096))
    yield place
    subprocess.run(["umount", place], check=True)


def test_access_log_on_a_full_disk(mount, generated, full):
    """Said once; the mount goes on, and ends well."""
    store, due = view(generated, "mount-plink")
    with mount(store, "--access-log", full / "access") as m:
        for _ in range(3):
            helpers.drop_cache(m.path(".bed"))
            assert m.read(".bed") == due
            time.sleep(0.6)
        helpers.wait_for(lambda: "cannot write the access log: No space left" in m.log(), 5, "the complaint")
        assert m.log().count("access log") == 1
        helpers.drop_cache(m.path(".bed"))
        assert m.read(".bed") == due


def test_access_log_to_a_pipe_that_nobody_empties(mount, generated, scratch):
    """Its lines wait, then it is given up; no read waits for it."""
    store, due = view(generated, "mount-plink")
    pipe = scratch / "pipe"
    os.mkfifo(pipe)
    with helpers.open_fd(pipe, os.O_RDONLY | os.O_NONBLOCK), mount(store, "--access-log", pipe) as m:
        with opened(m.path(".bed")) as fd:
            end = time.monotonic() + 30 * helpers.SLOW
            while "does not keep up" not in m.log() and time.monotonic() < end:
                for at in range(0, 1 << 20, PAGE):
                    assert outcome(fd, at, due) == 0
        assert m.log().count("does not keep up") == 1


def test_log_file_on_a_full_disk(mount, generated, full):
    """Its lines are lost, nothing else."""
    store, due = view(generated, "mount-plink")
    with mount(store, "--log-file", full / "log", "--log-level", "debug") as m:
        for _ in range(3):
            m.kill_encoder()
            helpers.drop_cache(m.path(".bed"))
            assert m.read(".bed") == due
        (full / "ballast").unlink()
        m.kill_encoder()
        helpers.drop_cache(m.path(".bed"))
        assert m.read(".bed") == due
        assert "lines before this one were lost" in (full / "log").read_text()


def test_stderr_that_nobody_reads(generated, scratch):
    """A pipe that is full, as with `less` in the background: neither process waits for it."""
    store, due = view(generated, "mount-plink")
    (scratch / "mnt").mkdir()
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(theirs, bytes(65536))
    os.set_blocking(theirs, True)
    front = helpers.start_front(store, scratch / "mnt", ["--log-level", "debug"], theirs)
    helpers.held.add(front.pid)
    try:
        helpers.wait_for(lambda: helpers.answers(scratch / "mnt"), 20, "the mount")
        for _ in range(3):
            pid = helpers.wait_for(lambda: drills.encoder_pid(front.pid), 20)
            os.kill(pid, 9)
            (bed,) = (scratch / "mnt").glob("*.bed")
            helpers.drop_cache(bed)
            assert bed.read_bytes() == due
        front.terminate()
        assert front.wait(10 * helpers.SLOW) == 0
    finally:
        os.close(ours)
        os.close(theirs)
        front.kill()
        front.wait()
        helpers.held.discard(front.pid)
    helpers.assert_no_strays()


def test_files_that_may_not_grow(mount, generated, scratch):
    """RLIMIT_FSIZE: a log that reached it is given up; nobody dies of SIGXFSZ."""
    store, due = view(generated, "mount-plink")
    with mount(store, "--access-log", scratch / "access") as m:
        resource.prlimit(m.front, resource.RLIMIT_FSIZE, (100, 100))
        resource.prlimit(m.encoder(), resource.RLIMIT_FSIZE, (100, 100))
        for _ in range(2):
            helpers.drop_cache(m.path(".bed"))
            assert m.read(".bed") == due
        helpers.wait_for(lambda: "cannot write the access log" in m.log(), 5, "the complaint")
        assert (scratch / "access").stat().st_size <= 100


def test_small_index_needs_no_temporary_file(full):
    with helpers.mounted(helpers.store("biallelic.vcz"), verb="mount-bgen", env={"TMPDIR": str(full)}) as m:
        assert bgen_reader.index_rows(f"{m.path('.bgen')}.bgi")


def test_large_index_without_room_for_its_temporary_file(generated, full):
    """EIO and the reason; the .bgen is served, and the index once there is room."""
    store, _ = generated(*test_bgen.LARGE)
    full.chmod(0o777)
    with helpers.mounted(store, *test_bgen.LONG, verb="mount-bgen", env={"TMPDIR": str(full)}) as m:
        index = f"{m.path('.bgen')}.bgi"
        assert helpers.errno_of(lambda: os.stat(index)) == errno.EIO
        assert "cannot be made" in m.log() and "No space left" in m.log(), m.log()
        assert helpers.read_errno(m.path(".bgen"), 1 << 20) == 0 and m.read(".sample")
        (full / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=1g", full], check=True)
        assert len(bgen_reader.index_rows(index)) == 20000
        assert m.log().count("encoder lost") == 0


def test_store_on_a_full_disk(mount, scratch):
    """Nothing is ever written to a store, nor beside it."""
    place = scratch / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "vczfs-small", place], check=True)
    try:
        store = helpers.copy_store("biallelic.vcz", place)
        with contextlib.suppress(OSError), open(place / "ballast", "wb", buffering=0) as out:
            while True:
                out.write(bytes(4096))
        with mount(store) as m:
            m.kill_encoder()
            for suffix in (".bed", ".bim", ".fam"):
                assert m.read(suffix) == helpers.expected("biallelic_vcz-plink", suffix)
    finally:
        subprocess.run(["umount", place], check=True)
