# SPDX-License-Identifier: Apache-2.0
"""A chunk that ends every encoder which decodes it: it alone is lost, for a time, and it costs one encoder of the mount's."""

import errno
import mmap
import os
import time

import pytest

import drills
import helpers

# The second of six chunks along the variants of drills.STORE or BGEN_STORE, the second of three along the samples.
MATCH = "call_genotype/1.1."
TIMEOUT = 2
CONDEMNED_FOR = 2 * TIMEOUT


@pytest.fixture(params=drills.SUFFIX)
def deadly(request, scratch, generated, preload):
    """A disk with such a chunk, once told to; `lost` says which bytes of the file come from it."""
    if helpers.SANITIZED:
        pytest.skip("a sanitizer wants to be preloaded first")
    store, oracle = drills.made_view(generated, request.param)
    disk = drills.BadDisk(scratch, store, preload, MATCH)
    disk.verb, disk.due = request.param, oracle.read_bytes()
    disk.options = ("--encoder", disk.wrapper, "--no-sandbox", "--read-timeout", str(TIMEOUT))
    return disk


def rows_lost(disk):
    """(first byte, end) of the rows that the chunk has calls of."""
    variants, chunk = (3000, 500) if disk.verb == "mount-plink" else (1500, 250)
    samples = 5003 if disk.verb == "mount-plink" else 2003
    if disk.verb == "mount-plink":
        return 3 + chunk * ((samples + 3) // 4), 3 + 2 * chunk * ((samples + 3) // 4)
    row = (len(disk.due) - header_nbytes(disk.due)) // variants
    return header_nbytes(disk.due) + chunk * row, header_nbytes(disk.due) + 2 * chunk * row


def header_nbytes(bgen):
    return 4 + int.from_bytes(bgen[:4], "little")


def outcomes(path, due, size):
    """Offsets of the pieces that are EIO; the others are right. Uncached."""
    failed = []
    with helpers.open_fd(path, os.O_RDONLY | os.O_DIRECT) as fd:
        for at in range(0, len(due), size):
            try:
                assert os.pread(fd, size, at) == due[at : at + size], f"wrong bytes at {at}"
            except OSError as error:
                assert error.errno == errno.EIO
                failed.append(at)
    return failed


@pytest.mark.limit(drills.scaled(60, 180))
@pytest.mark.parametrize("word", drills.scaled(["segv"], ["segv", "abort"]))
def test_chunk_that_kills(word, deadly, mount):
    """All of it is EIO, nothing else is, readers elsewhere see nothing, and when it is well again it is read again."""
    first, end = rows_lost(deadly)
    due = deadly.due
    with mount(deadly.store, *deadly.options, verb=deadly.verb, env=deadly.env) as m:
        path = m.path(drills.SUFFIX[deadly.verb])
        status = drills.status(m)
        assert outcomes(path, due, 1 << 16) == [] and status["condemned"] == []
        front = m.front
        deadly.become(word)
        # Nothing that was decoded before is at hand any more.
        m.kill_encoder()
        expected = [at for at in range(0, len(due), 4096) if at + 4096 > first and at < end]
        if deadly.verb == "mount-plink":  # a row's part is narrower than a page, or the page has another part too
            expected = [at for at in expected if any(is_lost(deadly, byte) for byte in range(at, min(at + 4096, end)))]
        begun = time.monotonic()
        assert outcomes(path, due, 4096) == expected
        took = time.monotonic() - begun
        after = drills.status(m)
        assert [c["chunk"] for c in after["condemned"]] == ["call_genotype/1.1.0"]
        restarts = after["encoder"]["restarts"] - status["encoder"]["restarts"]
        nprobes = m.log().count("ended the encoder")
        # The kill above is one, the discovery another; a time that ends while we read costs the mount nothing.
        assert restarts == 2 and nprobes <= 1 + took / CONDEMNED_FOR, (restarts, nprobes)
        assert m.log().count("is held back") == 1
        deadly.become("ok")
        helpers.wait_for(lambda: helpers.read_errno(path, first + 5000) == 0, 60, "the end of the time")
        assert outcomes(path, due, 1 << 16) == []
        assert drills.status(m)["condemned"] == [] and m.front == front
        assert drills.status(m)["encoder"]["restarts"] == after["encoder"]["restarts"], "it was tried by another one"
    drills.record("deadly-chunk", view=deadly.verb, how=word, lost=len(expected) * 4096, restarts=restarts)


def is_lost(deadly, byte):
    """Of a .bed: does the byte have calls of samples 2000 to 3999?"""
    return deadly.verb != "mount-plink" or 500 <= (byte - 3) % 1251 < 1000


@pytest.mark.limit(drills.scaled(60, 180))
def test_readers_elsewhere_notice_nothing(deadly, mount, scratch):
    """Eight readers of the part before the chunk while it is found, again and again."""
    first, _ = rows_lost(deadly)
    with mount(deadly.store, *deadly.options, verb=deadly.verb, env=deadly.env) as m:
        path = m.path(drills.SUFFIX[deadly.verb])
        deadly.become("segv")
        m.kill_encoder()
        pages = range(0, first - 4096, 4096)
        with helpers.open_fd(path, os.O_RDONLY | os.O_DIRECT) as fd:
            end = time.monotonic() + drills.scaled(3, 60)
            n = 0
            while time.monotonic() < end:
                at = pages[n * 7919 % len(pages)]
                assert os.pread(fd, 4096, at) == deadly.due[at : at + 4096]
                if n % 50 == 0:
                    assert helpers.errno_of(lambda: os.pread(fd, 4096, (first + 8191) // 4096 * 4096)) == errno.EIO
                n += 1
        assert m.log().count("is held back") == 1


@pytest.fixture
def deadly_alleles(preload, scratch, generated):
    """A disk of a .bgen whose alleles of variants 500 to 749 end encoders, once told to; `index` is what its .bgi should be."""
    if helpers.SANITIZED:
        pytest.skip("a sanitizer wants to be preloaded first")
    store, _ = drills.made_bgen(generated)
    disk = drills.BadDisk(scratch, store, preload, "variant_allele/2.")
    with helpers.mounted(disk.store, verb="mount-bgen") as m:
        disk.index = m.read(".bgen.bgi")
    return disk


def test_index_whose_making_kills(deadly_alleles, mount):
    """Who opens the .bgi gets EIO, each time at once, and for that time alone; the mount's encoder dies once."""
    disk = deadly_alleles
    options = ("--encoder", disk.wrapper, "--no-sandbox", "--read-timeout", str(TIMEOUT))
    with mount(disk.store, *options, verb="mount-bgen", env=disk.env) as m:
        path = m.path(".bgen.bgi")
        before = drills.status(m)["encoder"]["restarts"]
        disk.become("segv")
        assert [helpers.errno_of(path.read_bytes) for _ in range(3)] == [errno.EIO] * 3
        after = drills.status(m)
        assert [c["chunk"] for c in after["condemned"]] == ["variant_allele/2.0"]
        assert after["encoder"]["restarts"] == before + 1
        front, encoder = m.front, m.encoder()
        assert helpers.errno_of(path.read_bytes) == errno.EIO
        # What is condemned is asked for by whoever opens the file, and by nobody else.
        said = m.log().count("cannot be made")
        assert said <= 4
        helpers.wait_for(lambda: all(c["for"] == 0 for c in drills.status(m)["condemned"]), 30, "the end of the time")
        assert m.log().count("cannot be made") == said
        disk.become("ok")
        helpers.wait_for(lambda: helpers.errno_of(path.read_bytes) == 0, 60, "the index to be made")
        assert path.read_bytes() == disk.index
        assert drills.status(m)["condemned"] == [] and (m.front, m.encoder()) == (front, encoder)


# 500 MB of .bed. Each row of a chunk of variants has a tenth in one of samples, so it is there that a pass stumbles most.
WIDE = "--samples 100000 --variants 20000 --chunk-samples 10000 --density dense --level 1 --bare --links calls".split()
WIDE_ROWS, WIDE_ROW = range(10000, 11000), 25000


def megabytes_a_second(path):
    """Of what can be read, in a pass that goes on a page after each error; and how many errors there were."""
    buffer, good, nerrors, at = mmap.mmap(-1, 1 << 20), 0, 0, 0
    helpers.drop_cache(path)
    with helpers.open_fd(path) as fd:
        size, begun = os.fstat(fd).st_size, time.monotonic()
        while at < size:
            try:
                n = os.preadv(fd, [buffer], at)
                good += n
            except OSError as error:
                assert error.errno == errno.EIO
                n, nerrors = 4096, nerrors + 1
            at += n
    return good / (time.monotonic() - begun) / 1e6, nerrors


@pytest.mark.limit(drills.scaled(120, 240))
def test_rest_is_as_fast(preload, mount, scratch):
    """A chunk that was condemned costs a pass over the rest less than half of its speed, and no byte of the rest."""
    if helpers.SANITIZED:
        pytest.skip("a sanitizer wants to be preloaded first")
    disk = drills.BadDisk(scratch, helpers.mkvcz(scratch / "wide.vcz", *WIDE), preload, "call_genotype/10.1.")
    options = ("--encoder", disk.wrapper, "--no-sandbox", "--read-timeout", "60")
    with mount(disk.store, *options, env=disk.env) as m:
        path = m.path(".bed")
        before = max(megabytes_a_second(path)[0] for _ in range(2))
        disk.become("segv")
        m.kill_encoder()
        finding, _ = megabytes_a_second(path)
        assert [c["chunk"] for c in drills.status(m)["condemned"]] == ["call_genotype/10.1.0"]
        lost = {at // 4096 for row in WIDE_ROWS for at in (3 + row * WIDE_ROW + 2500, 3 + row * WIDE_ROW + 4999)}
        after = []
        while len(after) < 6 and max(after, default=0) < before / 2:  # others may use the machine
            speed, nerrors = megabytes_a_second(path)
            assert nerrors == len(lost)
            after.append(speed)
    figures = {"before": before, "finding": finding, "after": max(after)}
    drills.record("deadly-chunk-speed", **{name: round(value) for name, value in figures.items()})
    assert max(after) > before / 2, figures
