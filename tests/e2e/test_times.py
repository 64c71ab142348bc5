# SPDX-License-Identifier: Apache-2.0
"""Files are as old as the data, mount after mount."""

import os
import shutil
import subprocess

import pytest

import helpers

METADATA = (".zgroup", ".zarray", ".zattrs", ".zmetadata", "zarr.json")
DAY = 86400 * 10**9
NEWEST = 1_500_000_000 * 10**9 + 123_456_789


def age(path, ns):
    os.utime(path, ns=(ns, ns))


@pytest.fixture(params=["biallelic.vcz", "biallelic_v3.vcz"])
def store(request, scratch):
    """Of known age: chunks are newer than any metadata."""
    copy = helpers.copy_store(request.param, scratch)
    for path in copy.rglob("*"):
        age(path, NEWEST - DAY if path.name in METADATA else NEWEST + DAY)
    return copy


def newest_metadata(store, array):
    names = [store / array / name for name in METADATA if (store / array / name).exists()]
    return names[-1]


def times(m):
    return {name: os.stat(m.dir / name).st_mtime_ns for name in [".", *os.listdir(m.dir)]}


@pytest.mark.parametrize("array", [".", "call_genotype", "variant_position", "sample_id"])
def test_newest_metadata_counts_and_no_chunk_does(array, store, mount):
    age(newest_metadata(store, array), NEWEST)
    for _ in range(2):
        with mount(store) as m:
            seen = times(m)
            assert set(seen.values()) == {NEWEST}, seen
            info = os.stat(m.path(".bed"))
            assert info.st_atime_ns == info.st_ctime_ns == NEWEST


def test_another_view_of_the_store_is_as_old(store, mount):
    age(newest_metadata(store, "call_genotype"), NEWEST)
    with mount(store, "-i", "POS>0", verb="mount-bgen") as m:
        assert set(times(m).values()) == {NEWEST}


def test_archive_is_as_old_as_itself(scratch, mount):
    copy = scratch / "s.vcz.zip"
    shutil.copy(helpers.store("biallelic.vcz.zip"), copy)
    age(copy, NEWEST)
    with mount(copy) as m:
        assert set(times(m).values()) == {NEWEST}


def test_resume_changes_no_time(store, mount):
    with mount(store) as m:
        before = times(m)
        m.kill_encoder()
        helpers.drop_cache(m.path(".bed"))
        m.read(".bed")
        assert times(m) == before


def test_make_is_not_fooled(store, mount, scratch):
    """A result that was made from an earlier mount is up to date."""
    result = scratch / "result"
    with mount(store, directory=make_directory(scratch)) as m:
        shutil.copy(m.path(".bed"), result)
    with mount(store, directory=scratch / "mnt") as m:
        (scratch / "Makefile").write_text(f"{result}: {m.path('.bed')}\n\tfalse\n")
        assert subprocess.run(["make", "-q", "-C", scratch, result], check=False).returncode == 0


def make_directory(scratch):
    (scratch / "mnt").mkdir()
    return scratch / "mnt"
