# SPDX-License-Identifier: Apache-2.0
"""No allocation per block or per read: what is read again and again takes no more calls of malloc than at first."""

import os
import pathlib
import random
import struct
import subprocess

import pytest

import helpers

pytestmark = pytest.mark.skipif(helpers.SANITIZED, reason="a sanitizer has a malloc of its own")

STORE = "--samples 2503 --variants 6000 --chunk-variants 1000 --chunk-samples 1000 --seed 5".split()
PAGE = 4096
READS = 100
# Messages, timers and chunks that are opened for the first time; the same for 10 times the reads.
FEW = 40


@pytest.fixture(scope="module")
def counting(tmp_path_factory):
    place = tmp_path_factory.mktemp("countalloc")
    library = place / "countalloc.so"
    source = helpers.ROOT / "tests/preload/countalloc.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library), "COUNTALLOC": str(place / "count")}


def counts(env, m):
    """Calls of malloc so far: of the front, of the encoder."""
    files = [pathlib.Path(f"{env['COUNTALLOC']}.{pid}") for pid in (m.front, m.encoder())]
    return [struct.unpack("<Q", file.read_bytes())[0] for file in files]


def read_randomly(path, n, seed):
    size = os.stat(path).st_size
    rng = random.Random(seed)
    with helpers.open_fd(path, os.O_RDONLY | os.O_DIRECT) as fd:
        for _ in range(n):
            assert os.pread(fd, PAGE, rng.randrange(size // PAGE) * PAGE)
    return n


def read_through(path, times, size):
    """Returns how many requests that makes, which are more than the reads."""
    reads = 5 * times  # to open it, to look at it, to find its end and to close it are requests too
    for _ in range(times):
        with helpers.open_fd(path, os.O_RDONLY | os.O_DIRECT) as fd:
            at = 0
            while data := os.pread(fd, size, at):
                at += len(data)
                reads += 1
    return reads


def allocations(env, m, action):
    """[front's, encoder's] of an action that returns a number of reads; and that number."""
    before = counts(env, m)
    n = action()
    return [after - earlier for after, earlier in zip(counts(env, m), before)], n


@pytest.fixture(scope="module")
def served(counting, generated):
    store, _bed = generated(*STORE)
    with helpers.mounted(store, env=counting) as m:
        # Both ways once, for all pools and caches to be as large as they get.
        read_through(m.path(".bed"), 2, 1 << 17)
        read_randomly(m.path(".bed"), 400, 1)
        yield m


@pytest.mark.parametrize("how", ["at random", "through, 128 KiB a time", "through, 8 KiB a time"])
def test_steady_state_allocates_nothing(how, served, counting):
    path = served.path(".bed")

    def action(factor):
        if how == "at random":
            return read_randomly(path, READS * factor, factor)
        return read_through(path, factor, 1 << (17 if "128" in how else 13))

    (front, encoder), few = allocations(counting, served, lambda: action(1))
    (more_front, more_encoder), many = allocations(counting, served, lambda: action(10))
    figures = {"reads": (few, many), "front": (front, more_front), "encoder": (encoder, more_encoder)}
    assert more_encoder <= FEW, figures
    # libfuse takes one for each request, and gives it back with the reply.
    assert more_front - many <= FEW, figures
