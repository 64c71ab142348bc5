# SPDX-License-Identifier: Apache-2.0
"""What reading a mount on storage at a distance asks of the storage: in sequence, and at random."""

import contextlib
import json
import os
import subprocess

import pytest

import helpers

MS = 20
SLOWLY = 100 * helpers.SLOW  # ms: what is asked side by side is on its way at the same time
KINDS = ("lookup", "getattr", "open", "readdir", "read")
HEADER = 3  # bytes of a .bed


def make(place, *options):
    (place / "at").mkdir()
    return helpers.mkvcz(place / "at/a.vcz", *options, "--bare")


@contextlib.contextmanager
def far_file(store, tmp_path, ms, *options):
    """The .bed of a store on storage at a distance, open; and what says how often that was asked since it was last asked
    to say so."""
    with helpers.slowfs(store.parent, tmp_path / "far", ms, "-c") as counters:
        with helpers.mounted(tmp_path / "far" / store.name, *options) as m:
            seen = [counters()]

            def asked():
                seen.append(counters())
                return {kind: seen[-1][kind] - seen[-2][kind] for kind in KINDS} | {"most": seen[-1]["most_at_once"]}

            with helpers.open_fd(m.path(".bed")) as fd:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
                yield fd, asked


def read_all(fd, size):
    return b"".join(os.pread(fd, 1 << 17, at) for at in range(0, size, 1 << 17))


def bed_nbytes(samples, variants):
    return HEADER + (samples + 3) // 4 * variants


def test_short_chunks_are_read_whole(tmp_path):
    """In sequence: opened once, and read once, also where there is little room for what is on its way; but for the first
    one, of which nobody knew how long it is."""
    samples, chunks = 2500, 100
    store = make(tmp_path, "--samples", samples, "--variants", 1000 * chunks, "--links", "calls")
    with far_file(store, tmp_path, MS, "--memory", "16M") as (fd, asked):
        read_all(fd, bed_nbytes(samples, 1000 * chunks))
        counted = asked()
    assert counted["open"] <= 1.15 * chunks  # what was furthest ahead may have been given up
    assert counted["read"] <= 1.15 * chunks


@pytest.fixture(scope="module")
def long_chunks(tmp_path_factory):
    """Two chunks of 450 KB, of 38 blocks each."""
    return make(tmp_path_factory.mktemp("long"), "--samples", 10_000, "--variants", 2000)


def test_where_a_block_lies_is_guessed(long_chunks, tmp_path):
    """At random, in a chunk that nobody opened before: what is about where the block should be is asked for together
    with the beginning of the chunk, which says where it is."""
    row = 10_000 // 4
    with far_file(long_chunks, tmp_path, SLOWLY) as (fd, asked):
        os.pread(fd, 100, HEADER + 100 * row)
        asked()
        os.pread(fd, 100, HEADER + 1700 * row)
        counted = asked()
    assert counted["open"] <= 1
    assert counted["read"] <= 3
    assert counted["most"] >= 2


def test_a_guess_is_bounded(tmp_path):
    """However long the last chunk was: a store may lie there, and one small read must not bring megabytes."""
    samples, variants = 10_000, 5000
    store = make(tmp_path, "--samples", samples, "--variants", 2 * variants, "--chunk-variants", variants, "--links", "calls")
    calls = store / "call_genotype"
    meta = json.loads((calls / ".zarray").read_text())
    (calls / ".zarray").write_text(json.dumps({**meta, "compressor": None, "filters": None}))
    for chunk in [path for path in calls.rglob("*") if path.is_file() and not path.name.startswith(".")]:
        chunk.unlink()
        with open(chunk, "wb") as file:
            file.truncate(2 * samples * variants)
    row = samples // 4
    with far_file(store, tmp_path, MS) as (fd, asked):
        os.pread(fd, 100, HEADER + 100 * row)
        asked()
        assert os.pread(fd, 100, HEADER + (variants + 3000) * row) == b"\xff" * 100
        counted = asked()
    assert counted["read"] <= 16


def test_only_chunks_of_the_bytes_are_opened(tmp_path):
    """A page of the file with the end of a row and the beginning of the next one takes the chunks at both ends."""
    samples, across = 40_000, 8
    row, page = samples // 4, 4096
    store = make(tmp_path, "--samples", samples, "--variants", 100, "--chunk-samples", samples // across)
    at = next(at for at in range(0, 100 * row, page) if row - 2200 < (at - HEADER) % row < row - 1900)
    columns = {(at + i - HEADER) % row // (row // across) for i in range(page)}
    assert len(columns) == 4
    with far_file(store, tmp_path, 0) as (fd, asked):
        os.pread(fd, page, at)
        counted = asked()
    assert counted["read"] <= len(columns)


def blocks_decoded(m):
    done = subprocess.run([helpers.VCZFS, "status", "--json", m.dir], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["encoder"]["counters"]["blocks"]


def test_blocks_are_decoded_once(tmp_path):
    """In sequence: whoever decodes a block finds those who want the rest of it, also where all was asked for long ago."""
    store = make(tmp_path, "--samples", 20_000, "--variants", 4000, "--blocksize", 2 << 20, "--links", "calls")
    decoded = []
    with helpers.slowfs(store.parent, tmp_path / "far", MS, "-c"):
        for at in store, tmp_path / "far" / store.name:
            with helpers.mounted(at, "--threads", "2", verb="mount-bgen") as m:
                before = blocks_decoded(m)
                with helpers.open_fd(m.path(".bgen")) as fd:
                    read_all(fd, os.fstat(fd).st_size)
                decoded.append(blocks_decoded(m) - before)
    assert 0 < decoded[1] <= 1.5 * decoded[0]
