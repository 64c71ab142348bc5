# SPDX-License-Identifier: Apache-2.0
"""
Overload drills: everything at once, and still every byte right, no read refused, and the mount alive.

Eight kinds: POSIX calls and mutations are test_posix; bulk bytes, fio, fsx-like reads, reads beside stress-ng, mounts and
unmounts, and liveness under saturation are here.
"""

import filecmp
import itertools
import json
import os
import shutil
import subprocess
import time

import pytest

import drills
import helpers

# What the sanitizers have seen in the other drills they need not see again.
unsanitized = pytest.mark.skipif(helpers.SANITIZED, reason="the same code runs in other drills")

FIO = {
    "sequential": ("--rw=read", "--bs=1M"),
    "random": ("--rw=randread", "--bs=4k", "--direct=1"),
    "mmap": ("--rw=randread", "--bs=4k", "--ioengine=mmap"),
    "4 sequential": ("--rw=read", "--bs=128k", "--numjobs=4"),
    "16 random": ("--rw=randread", "--bs=4k", "--direct=1", "--numjobs=16"),
    "16 on a sidecar": ("--rw=randread", "--bs=4k", "--direct=1", "--numjobs=16"),
}


@pytest.mark.parametrize("verb", drills.SUFFIX)
def test_bulk_bytes(verb, mount, generated, scratch):
    """Copied as a whole by several programs at once, the large file is what it should be."""
    store, oracle = drills.made_view(generated, verb)
    with mount(store, verb=verb) as m:
        path = m.path(drills.SUFFIX[verb])
        copies = [
            subprocess.Popen(command)
            for command in (
                ["cp", path, scratch / "cp"],
                ["dd", f"if={path}", f"of={scratch}/dd", "bs=1M", "iflag=direct", "status=none"],
                ["sh", "-c", f"cat '{path}' > '{scratch}/cat'"],
                ["sh", "-c", f"tail -c +1 '{path}' > '{scratch}/tail'"],
            )
        ]
        assert [copy.wait(60 * helpers.SLOW) for copy in copies] == [0] * len(copies)
    for name in ("cp", "dd", "cat", "tail"):
        assert filecmp.cmp(scratch / name, oracle, shallow=False), name


@unsanitized
@pytest.mark.parametrize("verb", drills.SUFFIX)
@pytest.mark.parametrize("job", FIO)
def test_fio(job, verb, mount, generated):
    """No error, no EAGAIN, no short read."""
    store, _ = drills.made_view(generated, verb)
    small = ".fam" if verb == "mount-plink" else ".sample"
    with mount(store, verb=verb) as m:
        path = m.path(small if "sidecar" in job else drills.SUFFIX[verb])
        done = subprocess.run(
            ["fio", "--name=job", f"--filename={path}", "--readonly", "--invalidate=1", "--time_based",
             f"--runtime={drills.scaled(1, 10)}", "--group_reporting", "--output-format=json", *FIO[job]],
            capture_output=True, text=True, timeout=60 * helpers.SLOW, check=False, cwd=m.dir.parent,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout[-500:]
        (result,) = json.loads(done.stdout[done.stdout.index("{") :])["jobs"]
        assert result["error"] == 0 and result["read"]["total_ios"] > 0, result
        assert result["read"]["short_ios"] == 0
        drills.record("fio", view=verb, job=job, errors=result["error"], iops=round(result["read"]["iops"]), mb_s=round(result["read"]["bw_bytes"] / 1e6))


OPERATIONS = drills.scaled(10000 if helpers.SANITIZED else 50000, 200000)


@pytest.mark.parametrize("verb", drills.SUFFIX)
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.limit(drills.scaled(60, 300))
def test_fsx_like_reads(seed, verb, mount, generated):
    """50,000 operations each: pread, mmap, O_DIRECT, dropped caches, sizes."""
    store, oracle = drills.made_view(generated, verb)
    with mount(store, verb=verb) as m:
        with drills.reading(m.path(drills.SUFFIX[verb]), oracle, ["mix"], "-n", OPERATIONS, "-s", seed) as readers:
            results = readers.finish(drills.scaled(50, 290), end=False)
    drills.assert_all_right(results)
    assert results[0]["ops"] == OPERATIONS
    drills.record("fsx", view=verb, seed=seed, operations=OPERATIONS, failed=results[0]["errors"], wrong=results[0]["wrong"])


@pytest.mark.parametrize("verb", drills.SUFFIX)
@pytest.mark.limit(drills.scaled(60, 300))
def test_liveness_while_16_readers_saturate(verb, mount, generated):
    store, oracle = drills.made_view(generated, verb)
    small = ".fam" if verb == "mount-plink" else ".sample"
    with mount(store, verb=verb) as m, drills.reading(m.path(drills.SUFFIX[verb]), oracle, ["rand", "direct"] * 8) as readers:
        took = []
        end = time.monotonic() + drills.scaled(4, 120)
        while time.monotonic() < end:
            helpers.drop_cache(m.path(small))
            took.append(drills.timed(lambda: (os.listdir(m.dir), m.read(small)))[0])
            time.sleep(0.5 if drills.SOAK else 0.1)
        drills.assert_all_right(readers.finish(60))
    drills.record("liveness", view=verb, probes=len(took), p99_ms=drills.milliseconds(drills.quantile(took, 0.99)), max_ms=drills.milliseconds(max(took)))
    assert max(took) < 1 * helpers.SLOW


@unsanitized
@pytest.mark.skipif(shutil.which("stress-ng") is None, reason="stress-ng is not installed")
@pytest.mark.parametrize("verb", drills.SUFFIX)
@pytest.mark.limit(drills.scaled(60, 300))
def test_readers_beside_stress(verb, mount, generated):
    store, oracle = drills.made_view(generated, verb)
    seconds = drills.scaled(4, 120)
    with mount(store, verb=verb) as m:
        stress = subprocess.Popen(
            ["stress-ng", "--cpu", "2", "--vm", "1", "--vm-bytes", "256M", "--timeout", str(seconds), "--quiet",
             "--temp-path", m.dir.parent]
        )  # fmt: skip
        try:
            with drills.reading(m.path(drills.SUFFIX[verb]), oracle, ["seq", "rand", "mmap", "direct", "mix"], "-t", seconds) as readers:
                results = readers.finish(seconds + 30, end=False)
            assert stress.wait(30) == 0
        finally:
            stress.kill()
            stress.wait()
    drills.assert_all_right(results)


CYCLES = drills.scaled(60 if helpers.SANITIZED else 500, 2000)


@pytest.mark.limit(drills.scaled(120, 600))
def test_mount_and_unmount_again_and_again(scratch):
    """No mount, process or descriptor is left (helpers.mounted looks)."""
    (scratch / "mnt").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    start = time.monotonic()
    for i in range(CYCLES):
        with helpers.mounted(helpers.store("biallelic.vcz"), directory=scratch / "mnt") as m:
            if i % 3 == 0:
                assert m.path(".bed").stat().st_size > 0
            elif i % 3 == 1:
                assert helpers.read_errno(m.path(".bed")) == 0
    assert len(os.listdir("/proc/self/fd")) == before
    took = time.monotonic() - start
    drills.record("cycles", cycles=CYCLES, ms_each=drills.milliseconds(took / CYCLES))


@pytest.mark.parametrize("verb", drills.SUFFIX)
def test_a_thousand_handles(verb, mount, generated):
    """Each reads a place of its own; none is refused, and nothing grows out of bounds."""
    store, oracle = drills.made_view(generated, verb)
    due = oracle.read_bytes()
    with mount(store, verb=verb) as m:
        fds = [os.open(m.path(drills.SUFFIX[verb]), os.O_RDONLY | os.O_DIRECT) for _ in range(1000)]
        try:
            for fd, at in zip(fds, itertools.cycle(range(0, len(due) - 4096, 36864))):
                assert os.pread(fd, 4096, at) == due[at : at + 4096]
            assert drills.resident(m.front) < (48 << 20) * helpers.WORK
        finally:
            for fd in fds:
                os.close(fd)
