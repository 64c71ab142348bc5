# SPDX-License-Identifier: Apache-2.0
"""Many chunks: opening a store looks at few of them, and holds none."""

import os
import pathlib
import subprocess
import time

import pytest

import helpers

MIB = 1 << 20
CHUNKS = 5_000 if helpers.SANITIZED else 100_000
FEW = "--samples 4 --chunk-variants 1 --chunk-samples 4 --level 1 --bare --no-phased --seed 3".split()


def peak(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.fixture(scope="module")
def many():
    """A store with that many chunks in each array, all the same, and its .bed, whose rows are one byte."""
    with helpers.scratch() as place:
        first = helpers.mkvcz(place / "first.vcz", "--variants", "1", *FEW)
        with helpers.mounted(first) as m:
            bed = m.read(".bed")
        assert len(bed) == 4
        store = helpers.mkvcz(place / "many.vcz", "--variants", str(CHUNKS), "--links", "all", *FEW)
        yield store, bed[:3] + bed[3:] * CHUNKS
        subprocess.run(["rm", "-rf", store], check=True)  # half a million names: python takes its time


@pytest.mark.limit(180)
def test_store_of_100000_chunks_in_each_array(many, mount):
    """Its four site arrays have to be read, so that is 400,000 files; of the genotypes, few are looked at."""
    store, due = many
    start = time.monotonic()
    with mount(store) as m:
        assert time.monotonic() - start < 15 * helpers.SLOW
        encoder = m.encoder()
        if not helpers.SANITIZED:
            assert peak(encoder) < 48 * MIB
        assert m.read(".bim").count(b"\n") == CHUNKS
        for at in (0, CHUNKS // 2, len(due) - 5000):
            with helpers.open_fd(m.path(".bed"), os.O_RDONLY) as fd:
                assert os.pread(fd, 5000, at) == due[at : at + 5000]
        # An encoder that replaces another reads no site: the sidecars are there.
        m.kill_encoder()
        start = time.monotonic()
        with helpers.open_fd(m.path(".bed"), os.O_RDONLY | os.O_DIRECT) as fd:
            assert os.pread(fd, 512, 1024) == due[1024:1536]
        assert time.monotonic() - start < 2 * helpers.SLOW
        if not helpers.SANITIZED:
            assert peak(m.encoder()) < 48 * MIB
