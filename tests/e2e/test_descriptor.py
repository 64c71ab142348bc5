# SPDX-License-Identifier: Apache-2.0
"""
DIR as /dev/fd/N: a FUSE descriptor that somebody else has opened and mounted, as Apptainer (--fusemount) and Kubernetes
sidecars do. vczfs needs no right to mount then.
"""

import contextlib
import os
import signal
import subprocess

import pytest

import helpers

STORE = "biallelic.vcz"
CASE = "biallelic_vcz-plink"
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="to mount a descriptor takes root")


@contextlib.contextmanager
def mounted_descriptor(directory):
    """An opened /dev/fuse that is mounted on directory; nobody serves it yet."""
    fd = os.open("/dev/fuse", os.O_RDWR)
    try:
        options = f"fd={fd},rootmode=40000,user_id=65534,group_id=65534,allow_other".encode()
        flags = MS_RDONLY | MS_NOSUID | MS_NODEV
        assert helpers.libc.mount(b"handed", os.fsencode(directory), b"fuse.vczfs", flags, options) == 0
        yield fd
    finally:
        os.close(fd)
        helpers.force_unmount(directory)


def vczfs(fd, *options, **more):
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", helpers.VCZFS, "mount-plink", *options,
               helpers.store(STORE), f"/dev/fd/{fd}"]  # fmt: skip
    return subprocess.Popen(command, pass_fds=[fd], stderr=subprocess.PIPE, text=True, **more)


@pytest.mark.parametrize("ending", ["unmount", "SIGTERM"])
def test_a_descriptor_is_served_by_somebody_without_rights(ending, scratch):
    directory = scratch / "mnt"
    directory.mkdir()
    with mounted_descriptor(directory) as fd:
        front = vczfs(fd)
        helpers.held.add(front.pid)
        try:
            assert (directory / "biallelic.bed").read_bytes() == helpers.expected(CASE, ".bed")  # waits for the front
            (encoder,) = helpers.encoders_of(front.pid)
            assert "/dev/fuse" not in helpers.descriptors(encoder).values()
            if ending == "SIGTERM":
                front.send_signal(signal.SIGTERM)
            else:
                helpers.force_unmount(directory)
            _, errors = front.communicate(timeout=30 * helpers.SLOW)
        finally:
            front.kill()
            front.wait()
            helpers.held.discard(front.pid)
    assert (front.returncode, errors) == (0, "")
    helpers.assert_no_strays()


def test_in_the_background(scratch):
    """Returns once the kernel has said hello. (With XDG_STATE_HOME where nobody may write, there is a warning.)"""
    directory = scratch / "mnt"
    directory.mkdir()
    scratch.chmod(0o755)
    (scratch / "state").mkdir()
    (scratch / "state").chmod(0o777)
    with mounted_descriptor(directory) as fd:
        starter = vczfs(fd, "--background", env=helpers.test_environment({"XDG_STATE_HOME": str(scratch / "state")}))
        _, errors = starter.communicate(timeout=30 * helpers.SLOW)
        assert (starter.returncode, errors) == (0, "")
        assert (directory / "biallelic.fam").read_bytes() == helpers.expected(CASE, ".fam")
    helpers.assert_no_strays()


@pytest.mark.parametrize("what, complaint", [("/dev/null", "not of /dev/fuse"), (None, "Bad file descriptor")])
def test_other_descriptors_are_refused(what, complaint):
    fd = os.open(what or "/dev/null", os.O_RDWR)
    number = fd if what else 987
    try:
        done = subprocess.run(
            [helpers.VCZFS, "mount-plink", helpers.store(STORE), f"/dev/fd/{number}"],
            pass_fds=[fd], capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        os.close(fd)
    assert done.returncode == 1 and complaint in done.stderr
