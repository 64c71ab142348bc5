# SPDX-License-Identifier: Apache-2.0
"""At a terminal, under a shell with job control: ^C, ^Z, fg and bg do what they do to any program."""

import os
import pty
import signal
import time

import pytest

import helpers

STORE = "biallelic.vcz"


class Shell:
    """An interactive bash on a terminal of its own; what it writes stays well below what a terminal holds."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], {**os.environ, "PS1": "@ ", "TERM": "dumb"})
        helpers.held.add(self.pid)

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        os.close(self.fd)
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        helpers.held.discard(self.pid)


@pytest.fixture
def shell(scratch):
    (scratch / "mnt").mkdir()
    shell = Shell()
    shell.type(f"cd {scratch}\n")
    yield shell
    shell.end()
    helpers.wait_for(lambda: not helpers.is_mounted(scratch / "mnt"), 10, "the mount to go with its terminal")
    helpers.assert_no_strays()


def front(shell):
    found = [pid for pid in helpers.children(shell.pid) if helpers.comm(pid) == "vczfs"]
    return found[0] if found else None


def start(shell, scratch):
    """The plain command in the foreground; pids of front and encoder."""
    shell.type(f"{helpers.VCZFS} mount-plink {helpers.store(STORE)} mnt\n")
    helpers.wait_for(lambda: helpers.answers(scratch / "mnt"), 10, "the mount")
    pid = helpers.wait_for(lambda: front(shell))
    return pid, helpers.wait_for(lambda: helpers.encoders_of(pid))[0]


def read(scratch):
    helpers.drop_cache(scratch / "mnt" / "biallelic.bed")
    return (scratch / "mnt" / "biallelic.bed").read_bytes()


def test_interrupt_unmounts(shell, scratch):
    pid, encoder = start(shell, scratch)
    assert read(scratch)
    shell.type("\x03")
    helpers.wait_for(lambda: not helpers.alive(pid) and not helpers.alive(encoder), 5, "both to end")
    assert not helpers.is_mounted(scratch / "mnt")


def test_interrupt_reaches_the_front_alone(shell, scratch):
    """The encoder is in no group of the terminal's: the front decides when it ends."""
    pid, encoder = start(shell, scratch)
    assert os.getpgid(encoder) != os.getpgid(pid)
    assert os.tcgetpgrp(shell.fd) == os.getpgid(pid)


def test_stop_and_go_on(shell, scratch):
    """^Z stops the front; bg and fg let it go on, and reads that waited are answered."""
    pid, encoder = start(shell, scratch)
    due = read(scratch)
    shell.type("\x1a")
    helpers.wait_for(lambda: helpers.state(pid) == "T", 5, "the front to stop")
    assert helpers.state(encoder) != "T" and helpers.alive(encoder)
    shell.type("bg\n")
    helpers.wait_for(lambda: helpers.state(pid) != "T", 5, "bg")
    assert read(scratch) == due
    shell.type("fg\n")
    time.sleep(0.3)
    assert read(scratch) == due
    shell.type("\x03")
    helpers.wait_for(lambda: not helpers.alive(pid), 5, "the front to end")
    assert not helpers.is_mounted(scratch / "mnt")


def test_terminal_that_goes_away(shell, scratch):
    """SIGHUP unmounts what runs in the foreground."""
    pid, encoder = start(shell, scratch)
    os.kill(shell.pid, signal.SIGHUP)
    helpers.wait_for(lambda: not helpers.alive(pid) and not helpers.alive(encoder), 5, "both to end")
