# SPDX-License-Identifier: Apache-2.0
"""An encoder that dies is replaced, and no reader notices; one that cannot be replaced is an error, in time."""

import concurrent.futures
import errno
import os
import pathlib
import random
import re
import shutil
import signal
import threading
import time

import pytest

import helpers
import plink_tools

STORE = "biallelic.vcz"
CASE = "biallelic_vcz-plink"


def bed():
    return helpers.expected(CASE, ".bed")


class Reader(threading.Thread):
    """Reads random places, uncached, until told to stop; remembers what was wrong."""

    def __init__(self, path, due, seed):
        super().__init__()
        self.path, self.due = path, due
        self.rng = random.Random(seed)
        self.finished = threading.Event()
        self.count = 0
        self.wrong = []

    def run(self):
        with helpers.open_fd(self.path) as fd:
            while not self.finished.is_set():
                at, size = self.rng.randrange(len(self.due)), self.rng.choice([100, 4096, 100000, 500000])
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                try:
                    if os.pread(fd, size, at) != self.due[at : at + size]:
                        self.wrong.append(f"wrong bytes in {at}+{size}")
                except OSError as error:
                    self.wrong.append(f"{errno.errorcode[error.errno]} for {at}+{size}")
                self.count += 1


def start_readers(path, due, number):
    readers = [Reader(path, due, seed) for seed in range(number)]
    for reader in readers:
        reader.start()
    return readers


def stop_readers(readers):
    for reader in readers:
        reader.finished.set()
    for reader in readers:
        reader.join()


def await_progress(readers, reads=1):
    """Until every reader has finished that many more reads."""
    before = [reader.count for reader in readers]
    helpers.wait_for(
        lambda: all(reader.count >= old + reads for reader, old in zip(readers, before)),
        20,
        "every reader to get on",
    )


# --- replacement -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT, signal.SIGTERM])
def test_encoder_killed_between_reads(number, mount):
    with mount(helpers.store(STORE)) as m:
        assert m.read(".bed") == bed()
        dead = m.encoder()
        os.kill(dead, number)
        helpers.wait_for(lambda: not helpers.alive(dead), what="the encoder's death")
        helpers.drop_cache(m.path(".bed"))
        assert m.read(".bed") == bed()
        assert m.encoder() != dead


def test_encoder_killed_again_and_again_between_reads(mount):
    """Each death is forgotten once a read has been answered: the tenth is replaced as fast as the first."""
    with mount(helpers.store(STORE)) as m:
        for _ in range(10):
            dead = m.kill_encoder()
            helpers.wait_for(lambda dead=dead: not helpers.alive(dead), what="the encoder's death")
            start = time.monotonic()
            assert helpers.read_errno(m.path(".bed")) == 0
            assert time.monotonic() - start < 2 * helpers.SLOW
            assert m.encoder() != dead


# env(1) starts a program with every signal blocked; an ignored SIGCHLD has the kernel reap children unasked.
INHERITED = {
    "blocked": ["env", "--block-signal"],
    "ignored": ["env", "--ignore-signal=CHLD"],
}


@pytest.mark.parametrize("how", INHERITED)
def test_signals_that_were_inherited(how, mount):
    """Whoever started the front had his reasons; they are not the front's, which counts on hearing of an encoder's end."""
    with mount(helpers.store(STORE), prefix=INHERITED[how]) as m:
        for _ in range(20):  # more than may be dying at once
            dead = m.kill_encoder()
            helpers.wait_for(lambda dead=dead: not helpers.process_stat(dead), what="the encoder to be reaped")
            helpers.drop_cache(m.path(".bed"))
            assert m.read(".bed") == bed()


@pytest.mark.limit(180)
def test_encoder_killed_30_times_under_four_readers(mount, generated, scratch):
    options = "--samples 2503 --variants 3000 --chunk-variants 300 --chunk-samples 1000 --density dense --seed 3"
    store, vcf = generated(*options.split())
    due, _, _ = plink_tools.make_bed(vcf, scratch / "oracle")
    rng = random.Random(30)
    with mount(store) as m:
        readers = start_readers(m.path(".bed"), due, 4)
        try:
            for _ in range(30):
                await_progress(readers)
                time.sleep(rng.uniform(0, 0.03))  # a random moment is what is being tested
                m.kill_encoder()
            await_progress(readers)
        finally:
            stop_readers(readers)
        assert [reader.wrong for reader in readers] == [[]] * 4
        assert m.path(".bed").read_bytes() == due


def test_sidecars_outlast_any_encoder(mount, scratch):
    with mount(helpers.store(STORE), "--encoder", encoder_that_starts_once(scratch)) as m:
        helpers.wait_for(lambda: helpers.encoders_of(m.front))
        m.kill_encoder()
        for suffix in (".bim", ".fam"):
            assert m.read(suffix) == helpers.expected(CASE, suffix)


def test_death_is_logged(mount):
    with mount(helpers.store(STORE)) as m:
        m.kill_encoder()
        assert helpers.read_errno(m.path(".bed")) == 0
        assert "encoder" in m.log()
        assert "9" in m.log() or "kill" in m.log().lower()


# --- a store that changed --------------------------------------------------------------------------------

CHANGES = {
    "metadata rewritten": lambda store: rewrite(store / "call_genotype" / ".zarray", b" "),
    "genotype chunk replaced": lambda store: shutil.copy(
        store / "call_genotype" / "0.1.0", store / "call_genotype" / "0.0.0"
    ),
    "genotype chunk removed": lambda store: (store / "call_genotype" / "0.0.0").unlink(),
    "positions replaced": lambda store: rewrite(store / "variant_position" / "0", b"x"),
    "array exchanged": lambda store: exchange(store / "call_genotype"),
    # What could not even be mounted now.
    "genotypes removed": lambda store: shutil.rmtree(store / "call_genotype"),
    "metadata removed": lambda store: (store / "call_genotype" / ".zarray").unlink(),
    "metadata emptied": lambda store: os.truncate(store / "variant_position" / ".zarray", 0),
    "samples removed": lambda store: (store / "sample_id" / "0").unlink(),
    "another kind of store": lambda store: rewrite(store / ".zattrs", b"", whole=b"{}"),
    "no store at all": lambda store: [entry.unlink() for entry in store.glob(".z*")],
}


def exchange(directory):
    """By a copy whose files are older than the mount would be, were it not for their ctime."""
    aside = directory.with_name("aside")
    directory.rename(aside)
    shutil.copytree(aside, directory)


def rewrite(path, more, whole=None):
    """The same file, longer, under a new inode; or `whole` in its place."""
    data = (path.read_bytes() if whole is None else whole) + more
    path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize("change", CHANGES)
def test_changed_store_is_stale(change, mount, scratch):
    """ESTALE for the stream, the sidecars as they were, and a log that says what to do."""
    store = helpers.copy_store(STORE, scratch)
    with mount(store) as m:
        assert m.read(".bed") == bed()
        CHANGES[change](store)
        m.kill_encoder()
        assert helpers.read_errno(m.path(".bed")) == errno.ESTALE
        assert helpers.read_errno(m.path(".bed")) == errno.ESTALE
        for suffix in (".bim", ".fam"):
            assert helpers.read_errno(m.path(suffix)) == 0
            assert m.read(suffix) == helpers.expected(CASE, suffix)
        assert "mount" in m.log() and "changed" in m.log(), m.log()


def rewrite_in_place(path):
    """The same inode, size and time of modification: as rsync --inplace --times may leave it."""
    before = path.stat()
    with open(path, "r+b") as file:
        file.seek(before.st_size // 2)
        byte = file.read(1)
        file.seek(before.st_size // 2)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


# What changes the first chunk of call_genotype alone.
CHANGES_OF_ONE = {
    "rewritten in place": lambda chunk: rewrite_in_place(chunk),
    "emptied": lambda chunk: os.truncate(chunk, 0),
    "replaced by rename": lambda chunk: shutil.copy(chunk.with_name("0.1.0"), chunk.with_name("new"))
    and chunk.with_name("new").rename(chunk),
    "hard link of another": lambda chunk: chunk.unlink() or os.link(chunk.with_name("0.1.0"), chunk),
    "removed": lambda chunk: chunk.unlink(),
}


@pytest.mark.parametrize("death", [False, True], ids=["alive", "killed"])
@pytest.mark.parametrize("change", CHANGES_OF_ONE)
def test_changed_chunk_is_never_shown(change, death, mount, scratch):
    """It is noticed where it is read, also by an encoder that lives; what did not change is served, unless the encoder had
    to reopen the store."""
    store, due = helpers.copy_store(STORE, scratch), bed()
    with mount(store) as m:
        CHANGES_OF_ONE[change](store / "call_genotype" / "0.0.0")
        if death:
            m.kill_encoder()
        seen = []
        with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
            for at in range(0, len(due), 4096):
                try:
                    got = os.pread(fd, 4096, at)
                    assert got == due[at : at + 4096], at
                    seen.append(0)
                except OSError as error:
                    seen.append(error.errno)
        assert seen[0] == errno.ESTALE and set(seen) <= {0, errno.ESTALE}
        assert "mount again" in m.log(), m.log()
        assert m.read(".bim") == helpers.expected(CASE, ".bim")


def test_change_after_chunks_were_read(mount, generated, scratch):
    """A chunk whose file the encoder has open and whose first blocks it has read is not read on."""
    original, _ = generated(*"--samples 2504 --variants 2000 --chunk-variants 2000 --blocksize 65536".split())
    store = shutil.copytree(original, scratch / "copy.vcz")
    with mount(store, "--threads", "1") as m:
        size = os.stat(m.path(".bed")).st_size
        with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
            assert len(os.pread(fd, 4096, 0)) == 4096
            rewrite_in_place(store / "call_genotype" / "0.0.0")
            with pytest.raises(OSError) as failed:
                os.pread(fd, 4096, size // 2 // 4096 * 4096)
            assert failed.value.errno == errno.ESTALE


def test_changed_archive_is_stale(mount, scratch):
    store = helpers.copy_store(STORE, scratch)
    archive = pathlib.Path(shutil.make_archive(scratch / "packed.vcz", "zip", store))
    with mount(archive) as m:
        rewrite_in_place(archive)
        assert helpers.read_errno(m.path(".bed")) == errno.ESTALE


def test_unchanged_store_is_not_stale(mount, scratch):
    """Reading it, and copying it, changes nothing that counts."""
    store = helpers.copy_store(STORE, scratch)
    with mount(store) as m:
        shutil.copytree(store, scratch / "copy.vcz")
        m.kill_encoder()
        assert m.read(".bed") == bed()


def test_store_that_went_away(mount, scratch):
    """Stream reads fail at their deadline at the latest; the rest goes on."""
    store = helpers.copy_store(STORE, scratch)
    with mount(store, "--read-timeout", "2") as m:
        store.rename(scratch / "elsewhere.vcz")
        m.kill_encoder()
        start = time.monotonic()
        assert helpers.read_errno(m.path(".bed")) in (errno.ESTALE, errno.EIO)
        assert time.monotonic() - start < 4 * helpers.SLOW
        assert m.read(".bim") == helpers.expected(CASE, ".bim")


# --- an encoder that cannot be replaced ------------------------------------------------------------------


def encoder_that_starts_once(scratch):
    """Path of an --encoder that works until the file `started` beside it exists."""
    script = scratch / "encoder-once"
    script.write_text(
        f'#!/bin/sh\n[ -e "{scratch}/started" ] && exit 3\n: > "{scratch}/started"\nexec "{helpers.ENCODERD}" "$@"\n'
    )
    script.chmod(0o755)
    return script


def test_encoder_that_cannot_be_started_again(mount, scratch):
    with mount(helpers.store(STORE), "--read-timeout", "2", "--encoder", encoder_that_starts_once(scratch)) as m:
        assert m.read(".bed") == bed()
        m.kill_encoder()
        start = time.monotonic()
        assert helpers.read_errno(m.path(".bed")) == errno.EIO
        assert time.monotonic() - start < 4 * helpers.SLOW
        assert m.read(".fam") == helpers.expected(CASE, ".fam")


def test_encoder_that_can_be_started_again_later(mount, scratch):
    with mount(helpers.store(STORE), "--read-timeout", "1", "--encoder", encoder_that_starts_once(scratch)) as m:
        m.kill_encoder()
        assert helpers.read_errno(m.path(".bed")) == errno.EIO
        (scratch / "started").unlink()
        helpers.wait_for(lambda: helpers.read_errno(m.path(".bed")) == 0, 30, "reads to work again")
        assert m.read(".bed") == bed()


def test_next_encoder_is_never_far_away(mount, scratch):
    """Whatever died before: a read is answered by the first encoder that lives long enough, which is not made to wait for."""
    ill, wrapper = scratch / "ill", scratch / "encoder"
    wrapper.write_text(f'#!/bin/sh\n[ -e {ill} ] && kill -9 $$\nexec {helpers.ENCODERD} "$@"\n')
    wrapper.chmod(0o755)
    with mount(helpers.store(STORE), "--encoder", wrapper, "--no-sandbox", "--read-timeout", "60") as m:

        def waits():
            return [int(ms) for ms in re.findall(r"another one in (\d+) ms", m.log())]

        ill.touch()
        m.kill_encoder()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            read = pool.submit(m.read, ".bed")
            helpers.wait_for(lambda: len(waits()) >= 9, 40, "nine deaths")
            ill.unlink()
            assert read.result() == bed()
        assert max(waits()) <= 500, waits()
        # An answer makes up for those that died.
        served = len(waits())
        m.kill_encoder()
        helpers.wait_for(lambda: len(waits()) > served, what="another death")
        assert waits()[served] == 0


def test_failing_restarts_do_not_spin(mount, scratch):
    """The pauses between attempts grow: a few in two seconds, not thousands."""
    script = scratch / "encoder-counted"
    script.write_text(
        f'#!/bin/sh\necho x >> "{scratch}/starts"\n[ "$(wc -l < "{scratch}/starts")" -gt 1 ] && exit 3\n'
        f'exec "{helpers.ENCODERD}" "$@"\n'
    )
    script.chmod(0o755)
    with mount(helpers.store(STORE), "--read-timeout", "2", "--encoder", script) as m:
        m.kill_encoder()
        assert helpers.read_errno(m.path(".bed")) == errno.EIO
        assert len((scratch / "starts").read_text().splitlines()) < 10
