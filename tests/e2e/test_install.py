"""make install and make uninstall: what an ordinary user gets under a home, and what a package gets."""

import os
import pathlib
import re
import subprocess

import helpers


def make(*words, home, check=True):
    return subprocess.run(
        ["make", "-s", "-o", "all", f"BUILD={helpers.BUILD}", *words],
        cwd=helpers.ROOT, env={**os.environ, "HOME": str(home), "MAKEFLAGS": ""},
        capture_output=True, text=True, check=check,
    )  # fmt: skip


def files(place):
    return {str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir()}


def test_an_ordinary_user_installs_below_their_home(scratch):
    prefix = scratch / ".local"
    done = make(f"prefix={prefix}", "install", home=scratch)
    assert f"mount.vczfs is in {prefix}/sbin, where mount(8)" in done.stdout
    assert {"bin/vczfs", "libexec/vczfs-encoderd", "sbin/mount.vczfs"} <= files(prefix)
    assert (prefix / "etc/vczfs").is_dir()
    for name in ("vczfs.1", "vczfs-encoderd.8"):
        text = next((prefix / "share/man").rglob(name)).read_text()
        assert not re.search(r"@\w+dir@", text)
        assert f"{prefix}/libexec/vczfs-encoderd" in text
    unit = (prefix / "lib/systemd/system/vczfs@.service").read_text()
    assert f"EnvironmentFile={prefix}/etc/vczfs/%i.conf" in unit

    (prefix / "etc/vczfs/mine.conf").write_text("STORE=/srv/x.vcz\n")
    make(f"prefix={prefix}", "uninstall", home=scratch)
    assert files(scratch) == {".local/etc/vczfs/mine.conf"}


def test_a_package_has_its_configuration_and_mount_helper_where_the_system_looks(scratch):
    done = make("prefix=/usr", f"DESTDIR={scratch}", "install", home="/root")
    assert "mount(8)" not in done.stdout
    assert {"usr/bin/vczfs", "sbin/mount.vczfs", "usr/lib/systemd/system/vczfs@.service"} <= files(scratch)
    assert (scratch / "etc/vczfs").is_dir()
    make("prefix=/usr", f"DESTDIR={scratch}", "uninstall", home="/root")
    assert files(scratch) == set()


def test_missing_libraries_are_named(scratch):
    """And pkg-config, whatever the machine has otherwise."""
    tools = scratch / "tools"
    tools.mkdir()
    for name in ("sh", "mkdir", "touch", "find", "nproc", "ls", "uname"):
        tool = pathlib.Path("/usr/bin") / name
        if tool.exists():
            (tools / name).symlink_to(tool)
    done = subprocess.run(
        ["/usr/bin/make", f"BUILD={scratch}/build"],
        cwd=helpers.ROOT, env={"PATH": str(tools)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pkg-config is not installed" in done.stderr and "make deps" in done.stderr
    for name in ("libevent", "fuse3", "libzstd", "blosc"):
        assert re.search(rf"does not find:.* {name}\b", done.stderr), done.stderr

