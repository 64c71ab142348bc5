# SPDX-License-Identifier: Apache-2.0
"""Where the sandbox, or the kernel, has less to offer: everything works, and one warning says what is missing."""

import os
import shlex
import subprocess

import pytest

import helpers

STORE = "biallelic.vcz"
WITHOUT = helpers.BUILD / "tools/without"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
WARNING = "the encoder's sandbox is not whole here"

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="root alone can give up the rights of root"),
    pytest.mark.skipif(helpers.SANITIZED, reason="a build with sanitizers has no sandbox"),
]


def warnings(text):
    return [line for line in text.splitlines() if WARNING in line]


def assert_right(m):
    for suffix in (".bed", ".bim", ".fam"):
        assert m.read(suffix) == helpers.expected("biallelic_vcz-plink", suffix)


def may_unshare():
    return subprocess.run([*NOBODY, "unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


def test_nothing_is_missing(mount):
    with mount(helpers.store(STORE)) as m:
        assert_right(m)
        assert warnings(m.log()) == []


@pytest.mark.parametrize("drop", ["-setuid,-setgid", "-setuid", "-setgid", "-all,+sys_admin"])
def test_root_that_may_not_change_its_user(drop, mount):
    """Containers drop these. The encoder stays root, and it is said so; a resume works as well, and is silent."""
    with mount(helpers.store(STORE), prefix=["setpriv", f"--bounding-set={drop}"]) as m:
        assert_right(m)
        m.kill_encoder()
        helpers.drop_cache(m.path(".bed"))
        assert_right(m)
        (warning,) = warnings(m.log())
        assert "it runs as root" in warning


def test_warning_reaches_a_terminal_that_is_left(scratch):
    """With --background the encoder's own log goes nowhere."""
    target = scratch / "mnt"
    target.mkdir()
    done = subprocess.run(
        ["setpriv", "--bounding-set=-setuid", helpers.VCZFS, "mount-plink", "--background", helpers.store(STORE), target],
        capture_output=True, text=True, check=False, timeout=60,
    )
    assert done.returncode == 0
    assert len(warnings(done.stderr)) == 1
    assert helpers.run("unmount", target).returncode == 0
    helpers.assert_no_strays()


@pytest.mark.skipif(not may_unshare(), reason="no user namespaces for ordinary users here")
def test_mount_in_a_namespace_of_ones_own(scratch):
    """unshare -rm: called root, with one user and no way to become another."""
    target = scratch / "mnt"
    target.mkdir()
    vczfs, point = shlex.quote(str(helpers.VCZFS)), shlex.quote(str(target))
    script = (
        f"{vczfs} mount-plink --background {shlex.quote(str(helpers.store(STORE)))} {point} && "
        f"cat {point}/biallelic.bed && {vczfs} unmount {point}"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == helpers.expected("biallelic_vcz-plink", ".bed")
    assert len(warnings(done.stderr.decode())) == 1
    helpers.assert_no_strays()


@pytest.mark.skipif(not may_unshare(), reason="no user namespaces for ordinary users here")
def test_info_in_a_namespace_of_ones_own():
    done = subprocess.run(
        [*NOBODY, "unshare", "-r", helpers.VCZFS, "info", helpers.store(STORE)],
        capture_output=True, text=True, check=False, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "257" in done.stdout
    assert len(warnings(done.stderr)) == 1


OLD_KERNELS = {
    "openat2": 0, "pidfd_open": 0, "statx": 0, "close_range": 0, "landlock_create_ruleset": 1,
    "seccomp": 0,  # there is an older way to load a filter
    "openat2,pidfd_open,statx,close_range,landlock_create_ruleset,epoll_pwait2,rseq,preadv2,faccessat2": 1,
}


@pytest.mark.parametrize("calls", OLD_KERNELS)
@pytest.mark.parametrize("name", [STORE, "biallelic.vcz.zip"])
def test_kernel_without(calls, name, mount):
    with mount(helpers.store(name), prefix=[WITHOUT, calls, "--"]) as m:
        assert_right(m)
        m.kill_encoder()
        helpers.drop_cache(m.path(".bed"))
        assert_right(m)
        assert len(warnings(m.log())) == OLD_KERNELS[calls]


@pytest.mark.parametrize("calls", OLD_KERNELS)
def test_info_on_a_kernel_without(calls):
    done = subprocess.run(
        [WITHOUT, calls, "--", helpers.VCZFS, "info", helpers.store(STORE)],
        capture_output=True, text=True, check=False, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "257" in done.stdout
    assert len(warnings(done.stderr)) == OLD_KERNELS[calls]
