"""Reading, and how long it took."""

import os
import random
import subprocess
import time

READ_SIZE = 1 << 20  # of sequential preads
CAT_SIZE = 128 << 10  # what cat and cp use
RANDOM_SIZE = 4096


def read_sequentially(path, expected):
    """MB/s of the file's first `expected` bytes in READ_SIZE preads."""
    buffer = bytearray(READ_SIZE)
    at = 0
    fd = os.open(path, os.O_RDONLY)
    try:
        begin = time.monotonic()
        while at < expected and (n := os.preadv(fd, [buffer], at)) > 0:
            at += n
        seconds = time.monotonic() - begin
    finally:
        os.close(fd)
    if at < expected:
        raise SystemExit(f"bench: {path} has {at} bytes, not {expected}")
    return at / seconds / 1e6


def cat(path, expected):
    """MB/s of dd in CAT_SIZE reads, its start included."""
    begin = time.monotonic()
    subprocess.run(["dd", f"if={path}", "of=/dev/null", f"bs={CAT_SIZE}", "status=none"], check=True)
    return expected / (time.monotonic() - begin) / 1e6


def read_randomly(path, size, count, seed):
    """Seconds of each of `count` reads of RANDOM_SIZE at places that are all different."""
    places = max(1, size // RANDOM_SIZE)
    chosen = random.Random(seed).sample(range(places), min(count, places))
    buffer = bytearray(RANDOM_SIZE)
    fd = os.open(path, os.O_RDONLY)
    latencies = []
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for place in chosen:
            begin = time.perf_counter()
            os.preadv(fd, [buffer], place * RANDOM_SIZE)
            latencies.append(time.perf_counter() - begin)
    finally:
        os.close(fd)
    return latencies


def read_variants(path, rows):
    """Seconds of reading each variant of an index's rows."""
    fd = os.open(path, os.O_RDONLY)
    latencies = []
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        for offset, size in rows:
            begin = time.perf_counter()
            os.pread(fd, size, offset)
            latencies.append(time.perf_counter() - begin)
    finally:
        os.close(fd)
    return latencies
