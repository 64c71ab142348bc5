# SPDX-License-Identifier: Apache-2.0
"""Reading, and how long it took."""

import os
import random
import subprocess
import threading
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


def read_window(path, begin, end, look):
    """Reads in sequence for `end` seconds, or to the end: what look() said after `begin` of them and at last, and the
    bytes and seconds between."""
    buffer = bytearray(READ_SIZE)
    at, first = 0, None
    fd = os.open(path, os.O_RDONLY)
    try:
        start = now = time.monotonic()
        while now - start < end and (n := os.preadv(fd, [buffer], at)) > 0:
            at += n
            now = time.monotonic()
            if first is None and now - start >= begin:
                first, at_first = look(), at
                since = now = time.monotonic()
    finally:
        os.close(fd)
    if first is None or at == at_first:
        raise SystemExit(f"bench: {path} is too small to be read for more than {begin} s")
    return first, look(), at - at_first, now - since


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


def read_places(path, places, size, readers, seconds):
    """Reads of `size` at each place once by so many threads, until the time is over: the seconds that it took, those of
    each read, and how many failed."""
    waiting, latencies, failed = iter(places), [], []
    lock = threading.Lock()
    begin = time.monotonic()

    def read():
        while time.monotonic() - begin < seconds:
            with lock:
                place = next(waiting, None)
            if place is None:
                return
            start = time.perf_counter()
            try:
                os.pread(fd, size, place)
                latencies.append(time.perf_counter() - start)
            except OSError as error:
                failed.append(error)

    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
        threads = [threading.Thread(target=read) for _ in range(readers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - begin, latencies, len(failed)
    finally:
        os.close(fd)
