# SPDX-License-Identifier: Apache-2.0
"""A user who owns a directory above the mount point, or above a log, exchanges what is there while root looks away."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading

import pytest

import helpers

STORE = "biallelic.vcz"
CASE = "biallelic_vcz-plink"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="this is about root")


@contextlib.contextmanager
def opening(scratch, *options):
    """A front that has checked its mount point, and mounts once its encoder is let go: (process, go, errors)."""
    gate = scratch / "gate"
    encoder = scratch / "gated"
    encoder.write_text(f'#!/bin/sh\n: >{gate}.reached\nwhile [ ! -e {gate} ]; do sleep 0.02; done\nexec {helpers.ENCODERD} "$@"\n')
    encoder.chmod(0o755)
    errors = scratch / "stderr"
    with errors.open("wb") as sink:
        process = helpers.start_front(helpers.store(STORE), scratch / "mnt", ["--encoder", encoder, *options], sink)
    helpers.held.add(process.pid)
    try:
        helpers.wait_for(lambda: (scratch / "gate.reached").exists() or process.poll() is not None, what="the encoder")
        assert process.poll() is None, errors.read_text()
        yield process, gate.touch, errors
    finally:
        gate.touch()
        if process.poll() is None:
            process.kill()
            process.wait()
        helpers.held.discard(process.pid)
        helpers.assert_no_strays()


@pytest.fixture
def place(scratch):
    (scratch / "mnt").mkdir()
    (scratch / "victim").mkdir()
    return scratch


def test_mount_point_exchanged_for_a_link(place):
    """What was looked at is mounted on, wherever it is by now; and unmounted there."""
    with opening(place) as (process, go, errors):
        (place / "mnt").rename(place / "moved")
        (place / "mnt").symlink_to("victim")
        go()
        helpers.await_mount(process, place / "moved", errors)
        assert not helpers.is_mounted(place / "victim")
        assert (place / "moved/biallelic.bed").read_bytes() == helpers.expected(CASE, ".bed")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, errors.read_text()
        assert not helpers.is_mounted(place / "moved")


def test_directory_above_the_mount_point_exchanged(place):
    (place / "above").mkdir()
    (place / "mnt").rename(place / "above/mnt")
    (place / "mnt").symlink_to("above/mnt")
    (place / "victim/mnt").mkdir()
    with opening(place) as (process, go, errors):
        (place / "above").rename(place / "moved")
        (place / "above").symlink_to("victim")
        go()
        helpers.await_mount(process, place / "moved/mnt", errors)
        assert not helpers.is_mounted(place / "victim/mnt")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, errors.read_text()
        assert not helpers.is_mounted(place / "moved/mnt")


def test_mount_point_removed(place):
    with opening(place) as (process, go, errors):
        (place / "mnt").rmdir()
        (place / "mnt").symlink_to("victim")
        go()
        assert process.wait(20) == 1
        assert not helpers.is_mounted(place / "victim")
        assert "mnt" in errors.read_text()


def test_mount_point_filled(place):
    with opening(place) as (process, go, errors):
        (place / "mnt/precious").touch()
        go()
        assert process.wait(20) == 1
        assert "not empty" in errors.read_text()
        assert (place / "mnt/precious").exists()


# --- unmount and status ----------------------------------------------------------------------------------

NOBODY = 65534


@contextlib.contextmanager
def exchanging(one, other):
    """The two names change what they stand for, as fast as that goes; afterwards all is as it was."""
    rename = ctypes.CDLL(None, use_errno=True).renameat2
    over, turns = threading.Event(), []

    def exchange():
        while not over.is_set() or len(turns) % 2:
            turns.append(rename(-100, bytes(one), -100, bytes(other), 2))

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert set(turns) == {0}


def give(path):
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


@contextlib.contextmanager
def in_background(directory):
    done = helpers.run("mount-plink", "--background", helpers.store(STORE), directory)
    try:
        assert done.returncode == 0, done.stderr
        yield directory
    finally:
        helpers.force_unmount(directory)


@pytest.fixture
def two_mounts(scratch):
    """Root's, and one below another user's directory, beside which that user has a link to root's directory."""
    theirs, ours = scratch / "theirs", scratch / "ours"
    for made in (theirs, theirs / "a", theirs / "a/m", ours, ours / "m"):
        made.mkdir()
    (theirs / "link").symlink_to("../ours")
    for path in (theirs, theirs / "a", theirs / "link"):
        give(path)
    with in_background(ours / "m"), in_background(theirs / "a/m"):
        yield theirs, ours


def test_directory_above_exchanged_for_a_link_while_root_unmounts(two_mounts):
    """What goes is the mount that was there, or none: never that behind the link."""
    theirs, ours = two_mounts
    statuses = set()
    with exchanging(theirs / "a", theirs / "link"):
        for _ in range(40):
            done = helpers.run("unmount", theirs / "a/m")
            statuses.add(done.returncode)
            assert helpers.is_mounted(ours / "m"), "root's other mount was unmounted"
            assert done.returncode == 0 or str(theirs) in done.stderr, done.stderr
    if 0 not in statuses:  # never by chance while it was the directory
        assert helpers.run("unmount", theirs / "a/m").returncode == 0
    assert not helpers.is_mounted(theirs / "a/m")


def test_links_on_the_way_to_a_mount(two_mounts):
    """Root's are followed, but not from where another user may change what is there; that user's never are."""
    theirs, ours = two_mounts
    (ours.parent / "to-theirs").symlink_to("theirs/a")
    (ours / "again").symlink_to(ours.parent / "to-theirs/m")
    (theirs / "roots").symlink_to(ours)
    (theirs / "m").symlink_to("a/m")
    give(theirs / "m")
    for path, culprit in {
        theirs / "link/m": theirs / "link",
        theirs / "roots/m": theirs / "roots",
        theirs / "m": theirs / "m",
        theirs / "a/../link/m": theirs / "link",
    }.items():
        for verb in (["unmount"], ["unmount", "--lazy"], ["unmount", "--if-dead"], ["status"]):
            done = helpers.run(*verb, path)
            assert done.returncode == 1
            assert f"'{culprit}' is a symbolic link of user {os.lstat(culprit).st_uid}" in done.stderr, done.stderr
            assert "realpath" in done.stderr
    for path in (ours / "again", ours.parent / "to-theirs/m", theirs / "a/m/", theirs / "a/./m/.", theirs / "../theirs/a/m"):
        done = helpers.run("status", path)
        assert done.returncode == 0 and "serving" in done.stdout, done.stderr
    assert helpers.run("unmount", theirs / "nothing").stderr.endswith("No such file or directory\n")
    assert "nothing that vczfs mounted" in helpers.run("unmount", theirs / "a/.").stderr
    assert helpers.run("unmount", ours / "again").returncode == 0
    assert helpers.is_mounted(ours / "m") and not helpers.is_mounted(theirs / "a/m")
    assert helpers.run("unmount", f"{ours}/m/.").returncode == 0
    assert not helpers.is_mounted(ours / "m")


def test_users_own_links_are_followed(two_mounts):
    """By that user, in whatever directory."""
    theirs, ours = two_mounts
    ours.parent.chmod(0o755)
    user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    for path, said in {theirs / "link/m": "another user has mounted it", theirs / "link/no": "No such file"}.items():
        done = subprocess.run([*user, helpers.VCZFS, "unmount", path], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1 and said in done.stderr, done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a device")
def test_user_by_way_of_fusermount3(place):
    """Who may not mount has it done on the same directory."""
    node = place / "fuse"
    place.chmod(0o755)
    os.chown(place / "mnt", 65534, 65534)
    script = """
        mknod "$1" c 10 229; chmod 666 "$1"; mount --bind "$1" /dev/fuse
        user='setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all'
        $user "$2" mount-plink --background "$3" "$4"
        $user cat "$4/biallelic.bed"
        $user "$2" unmount "$4"
        ! grep -q "$4" /proc/self/mountinfo
    """
    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script, "sh", node, helpers.VCZFS, helpers.store(STORE), place / "mnt"],
        capture_output=True, check=False, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == helpers.expected(CASE, ".bed")
    helpers.assert_no_strays()


# --- logs ------------------------------------------------------------------------------------------------


@pytest.fixture
def theirs(scratch):
    """A directory of another user's, and a file of root's."""
    (scratch / "theirs").mkdir()
    os.chown(scratch / "theirs", 65534, 65534)
    (scratch / "precious").write_text("root's\n")
    return scratch / "theirs"


LINKS = {
    "to a file": lambda theirs: (theirs / "log").symlink_to(theirs.parent / "precious"),
    "to nothing yet": lambda theirs: (theirs / "log").symlink_to(theirs.parent / "new"),
    "by way of a directory": lambda theirs: (theirs / "log").symlink_to("../precious"),
}


@pytest.mark.parametrize("option", ["--log-file", "--access-log"])
@pytest.mark.parametrize("link", LINKS)
def test_log_behind_another_users_link(option, link, theirs, refused):
    LINKS[link](theirs)
    os.chown(theirs / "log", 65534, 65534, follow_symlinks=False)
    done = refused(helpers.store(STORE), "--log-level", "debug", option, theirs / "log")
    assert done.returncode == 1
    assert "log" in done.stderr and "Operation not permitted" in done.stderr
    assert (theirs.parent / "precious").read_text() == "root's\n"
    assert not (theirs.parent / "new").exists()


@pytest.mark.parametrize("option", ["--log-file", "--access-log"])
def test_log_that_is_another_file_too(option, theirs, refused, mount):
    """Where the kernel lets users link to files that are not theirs (fs.protected_hardlinks=0). Root's own backups are no fault."""
    (theirs / "log").hardlink_to(theirs.parent / "precious")
    done = refused(helpers.store(STORE), "--log-level", "debug", option, theirs / "log")
    assert done.returncode == 1 and "Operation not permitted" in done.stderr
    assert (theirs.parent / "precious").read_text() == "root's\n"
    with mount(helpers.store(STORE), "--log-level", "info", option, theirs.parent / "precious") as m:
        m.read(".bed")
    assert len((theirs.parent / "precious").read_text().splitlines()) > 1


def background(directory, state):
    """What is said on stderr of a mount that makes a log of its own below `state`."""
    directory.mkdir()
    env = helpers.test_environment({"XDG_STATE_HOME": str(state)})
    try:
        done = helpers.run("mount-plink", "--background", helpers.store(STORE), directory, env=env)
        assert done.returncode == 0, done.stderr
        assert helpers.run("unmount", directory).returncode == 0
        return done.stderr
    finally:
        helpers.force_unmount(directory)


def test_log_of_the_background_below_another_users_link(theirs, scratch):
    """Nothing is made, renamed or written where it leads."""
    name = str(scratch / "mnt").strip("/").replace("/", "-") + ".log"
    (scratch / "vczfs").mkdir()
    (scratch / "vczfs" / name).write_bytes(b"x" * (5 << 20))
    (theirs / "state").symlink_to(scratch)
    os.chown(theirs / "state", 65534, 65534, follow_symlinks=False)
    assert "there will be no log" in background(scratch / "mnt", theirs / "state")
    assert [path.name for path in (scratch / "vczfs").iterdir()] == [name]
    assert (scratch / "vczfs" / name).stat().st_size == 5 << 20


def test_log_of_the_background_that_is_long_is_put_aside(scratch):
    name = str(scratch / "mnt").strip("/").replace("/", "-") + ".log"
    (scratch / "state/vczfs").mkdir(parents=True)
    (scratch / "state/vczfs" / name).write_bytes(b"x" * (5 << 20))
    assert background(scratch / "mnt", scratch / "state") == ""
    assert (scratch / "state/vczfs" / f"{name}.1").stat().st_size == 5 << 20
    assert 0 < (scratch / "state/vczfs" / name).stat().st_size < 1 << 20


def test_log_below_another_users_link(theirs, refused):
    (theirs / "logs").symlink_to(theirs.parent)
    os.chown(theirs / "logs", 65534, 65534, follow_symlinks=False)
    done = refused(helpers.store(STORE), "--access-log", theirs / "logs/precious")
    assert done.returncode == 1
    assert (theirs.parent / "precious").read_text() == "root's\n"


def test_log_behind_roots_own_links(theirs, mount, scratch):
    (scratch / "logs").symlink_to("theirs")
    (scratch / "here").symlink_to(scratch / "logs/log")
    with mount(helpers.store(STORE), "--access-log", scratch / "here", "--log-file", "/dev/stderr", "--log-level", "info") as m:
        assert m.read(".bed") == helpers.expected(CASE, ".bed")
        assert "mounted" in m.log()
    assert "biallelic.bed" in (theirs / "log").read_text()


def test_encoders_log_behind_another_users_link(theirs):
    (theirs / "log").symlink_to(theirs.parent / "precious")
    os.chown(theirs / "log", 65534, 65534, follow_symlinks=False)
    done = subprocess.run(
        [helpers.ENCODERD, "--listen", theirs / "s", "--log-file", theirs / "log"],
        capture_output=True, text=True, check=False, timeout=30,
    )
    assert done.returncode == 1 and "Operation not permitted" in done.stderr
    assert (theirs.parent / "precious").read_text() == "root's\n"
