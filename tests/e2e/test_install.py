# SPDX-License-Identifier: Apache-2.0
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
    assert "complete -F _vczfs vczfs" in (prefix / "share/bash-completion/completions/vczfs").read_text()
    assert (prefix / "etc/vczfs").is_dir()
    for name in ("vczfs.1", "vczfs-encoderd.8"):
        text = next((prefix / "share/man").rglob(name)).read_text()
        assert not re.search(r"@\w+dir@", text)
        assert f"{prefix}/libexec/vczfs-encoderd" in text
    unit = (prefix / "lib/systemd/system/vczfs@.service").read_text()
    assert f"EnvironmentFile={prefix}/etc/vczfs/%i.conf" in unit

    (prefix / "etc/vczfs/mine.conf").write_text("STORE=/srv/x.vcz\n")
    done = make(f"prefix={prefix}", "uninstall", home=scratch)
    assert files(scratch) == {".local/etc/vczfs/mine.conf"} and "there is no" not in done.stdout
    done = make(f"prefix={prefix}", "uninstall", home=scratch)
    assert f"there is no {prefix}/bin/vczfs: uninstall takes the prefix=" in done.stdout


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



def test_what_another_package_provides_is_not_installed_again(scratch):
    """As libmsgpack-dev, which is a name of libmsgpack-c-dev's on Debian sid; `make deps` asks for what else is missing."""
    needed = re.search(r"DEPS_BUILD := ((?:.*\\\n)*.*)", (helpers.ROOT / "Makefile").read_text())[1].replace("\\", "").split()
    there = set(needed) - {"libmsgpack-dev", "libblosc-dev", "libjansson-dev"}
    lines = [f"installed, {name}, ," for name in sorted(there)]
    lines += ["installed, libmsgpack-c-dev, libmsgpack-dev (= 6.1.0-2),", "config-files, libblosc-dev, ,"]
    tools = {
        "dpkg-query": "cat <<END\n" + "\n".join(lines) + "\nEND",
        "apt-get": f'echo "$@" >>{scratch}/asked',
        "sudo": 'exec "$@"',
    }
    for name, script in tools.items():
        (scratch / name).write_text(f"#!/bin/sh\n{script}\n")
        (scratch / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{scratch}:{os.environ['PATH']}", "MAKEFLAGS": ""}
    subprocess.run(["make", "deps"], cwd=helpers.ROOT, env=environment, capture_output=True, check=True)
    asked = (scratch / "asked").read_text().splitlines()[-1].split()
    assert {name for name in asked if name.endswith("-dev")} == {"libblosc-dev", "libjansson-dev"}
