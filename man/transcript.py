#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the transcript in vczfs-protocol.7 again: `man/transcript.py [BUILD]`, as root, after a change of messages.

The blocks of the page keep their order and the text between them; only their lines are made anew. Where the programs
say something else than before, somebody has to edit the page."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "man/vczfs-protocol.7"
PLACE = pathlib.Path("/tmp/vczfs-t")
STRACE = ["strace", "-e", "trace=network", "-s", "200", "-o"]
WIDTH = 66


def record(build):
    """{side: lines of its trace}: a mount, a read, an unmount."""
    store = build / "vectors/stores/biallelic.vcz"
    shutil.copytree(store if store.exists() else ROOT / "build/vectors/stores/biallelic.vcz", PLACE / "biallelic.vcz")
    (PLACE / "mnt").mkdir()
    encoder = [*STRACE, "encoder.trace", "-f", build / "vczfs-encoderd", "--listen", "e.sock"]
    encoder = subprocess.Popen(encoder, cwd=PLACE, stderr=subprocess.DEVNULL)
    while not (PLACE / "e.sock").exists():
        time.sleep(0.1)
    front = [build / "vczfs", "mount-plink", "--encoder-socket", "e.sock", "biallelic.vcz", "mnt"]
    front = subprocess.Popen([*STRACE, "front.trace", *front], cwd=PLACE)
    while not (PLACE / "mnt/biallelic.bed").exists():
        time.sleep(0.1)
    (PLACE / "mnt/biallelic.bed").read_bytes()
    time.sleep(2)  # the lease goes back, the release is sent
    subprocess.run(["umount", PLACE / "mnt"], check=True)  # (vczfs unmount looks at the status first)
    front.wait()
    time.sleep(1)
    children = pathlib.Path(f"/proc/{encoder.pid}/task/{encoder.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGTERM)  # strace itself takes no notice of signals
    encoder.wait()
    drop_pid = re.compile(r"^\d+ +", re.M)
    return {
        "F": (PLACE / "front.trace").read_text().splitlines(),
        "E": drop_pid.sub("", (PLACE / "encoder.trace").read_text()).splitlines(),
    }


def trim(line):
    """The part of a call that the page shows, or None."""
    found = re.match(r'(sendmsg|recvmsg)\((\d+), .*iov_base="(.*?)"(\.\.\.)?, iov_len.* = (\d+)$', line)
    if found:
        rights = re.search(r"cmsg_data=(\[.*?\])", line)
        passed = f", SCM_RIGHTS {rights[1]}" if rights else ""
        return f'{found[1]}({found[2]}, "{found[3]}{found[4] or ""}"{passed}) = {found[5]}'
    return re.sub(r"  +", " ", line) if re.match(r'(bind|accept4|getsockopt)\(|connect\(.*e\.sock"', line) else None


def kind(call):
    """What must stay as it was: the call, and the name of the message."""
    name = re.search(r'msg\(\d+, "\\2\d\d\\241t\\2[45]\d([a-z]+)', call)
    return call[: call.index("(")], name[1] if name else ""


def shorten(call):
    name = kind(call)[1]
    return re.sub(rf'({name}).*?"((?:, SCM.*?)?\) = )', r'\1..."\2', call, count=1) if name else call


def wrap(side, call):
    """Lines of the page; broken before an escape."""
    lines = []
    while len(call) > WIDTH:
        cut = call.rfind("\\", 30, WIDTH)
        if cut < 0:
            break
        lines.append(call[:cut])
        call = call[cut:]
    return "\n     ".join([f"{side}  {(lines + [call])[0]}", *(lines + [call])[1:]])


def main():
    build = ROOT / (sys.argv[1] if len(sys.argv) > 1 else "build")
    PLACE.mkdir()
    try:
        said = {side: [call for call in map(trim, lines) if call] for side, lines in record(build).items()}
    finally:
        shutil.rmtree(PLACE)

    def renew(old):
        call = said[old["side"]].pop(0)
        was = re.sub(r"\n +", "", old["call"].replace("\\e", "\\"))
        if kind(call) != kind(was):
            sys.exit(f"{PAGE.name} has {' '.join(kind(was))} where the trace has {' '.join(kind(call))}: edit the page")
        return wrap(old["side"], shorten(call) if '..."' in was and "recvmsg" in was else call).replace("\\", "\\e")

    text = PAGE.read_text()
    text = re.sub(r"^(?P<side>[FE])  (?P<call>[a-z0-9]+\(.*(?:\n     .*)*)", renew, text, flags=re.M)
    version = re.search(r"#define PROTO_VERSION\s+(\d+)", (ROOT / "proto/proto.h").read_text())[1]
    PAGE.write_text(re.sub(r"protocol version \d+", f"protocol version {version}", text))
    if any(said.values()):
        sys.exit(f"not in {PAGE.name}: {said}")


if __name__ == "__main__":
    main()
