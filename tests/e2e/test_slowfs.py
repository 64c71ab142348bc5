# SPDX-License-Identifier: Apache-2.0
"""What measures storage at a distance (tests/tools/slowfs.c): as many requests at once as are asked, each counted as
what it is."""

import os
import threading

import pytest

import helpers

READERS = 200  # libfuse serves 10 at once unless told otherwise
SLOWLY = 300 * helpers.SLOW  # ms: long enough for most readers to have asked before the first is answered
PAGE = 4096


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "source"
    (source / "a").mkdir(parents=True)
    (source / "a/small").write_bytes(b"small")
    (source / "large").write_bytes(os.urandom(READERS * PAGE))
    return source


def test_requests_are_counted_by_kind(source, tmp_path):
    mnt = tmp_path / "mnt"
    with helpers.slowfs(source, mnt, 0.1) as counters:
        assert (mnt / "a/small").read_bytes() == b"small"
        first = counters()
        assert not (mnt / "nothing").exists() and not (mnt / "nothing").exists()
        assert os.listdir(mnt / "a") == ["small"]
        second = counters()
        assert (mnt / "large").read_bytes() == (source / "large").read_bytes()
        assert counters()["read_bytes"] == 5 + READERS * PAGE
    assert [first[kind] for kind in ("lookup", "open", "read", "readdir", "read_bytes")] == [2, 1, 1, 0, 5]
    assert [second[kind] for kind in ("lookup", "open", "read", "readdir", "read_bytes")] == [3, 1, 1, 1, 5]
    assert ".slowfs" not in os.listdir(source)


def test_a_lookup_and_its_opening_are_one_trip_if_asked(source, tmp_path):
    for options, opened in ((), 1), (("-c",), 0):
        mnt = tmp_path / f"mnt{opened}"
        with helpers.slowfs(source, mnt, 0, *options) as counters:
            os.close(os.open(mnt / "large", os.O_RDONLY))
            assert counters()["open"] == opened
            os.close(os.open(mnt / "large", os.O_RDONLY))  # the name is known by now
            assert counters()["open"] == opened + 1


def test_readers_do_not_wait_for_each_other(source, tmp_path):
    mnt = tmp_path / "mnt"
    with helpers.slowfs(source, mnt, SLOWLY) as counters:
        fd = os.open(mnt / "large", os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        before = counters()["rounds"]
        assert before >= 2  # a lookup, and then an opening
        readers = [threading.Thread(target=os.pread, args=(fd, PAGE, i * PAGE)) for i in range(READERS)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        os.close(fd)
        last = counters()
        assert last["most_at_once"] > READERS / 2
        assert 1 <= last["rounds"] - before < READERS / 2
