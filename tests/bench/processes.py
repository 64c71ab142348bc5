# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of a process."""

import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")


def proc_status(pid):
    """VmRSS, VmHWM, ... in bytes."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return {key: int(value.split()[0]) * 1024 for key, value in pairs if value.strip().endswith(" kB")}


def proc_stat(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def cpu_seconds(pid):
    fields = proc_stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def bytes_read(pid):
    """From files, by read calls; None where we may not look."""
    try:
        text = pathlib.Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return None
    return int(text.split("rchar:")[1].split()[0])


def children_of(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if int(proc_stat(entry)[1]) == pid:
                    found.append(int(entry))
            except (OSError, ValueError):
                pass
    return found


def threads_of(pid):
    return pathlib.Path(f"/proc/{pid}/task").iterdir()


def cpu_exactly(pids):
    """Seconds of all threads that there are; /proc/PID/stat counts in hundredths."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for pid in pids for thread in threads_of(pid)) / 1e9


def switches(pids):
    """Times that a thread of theirs waited for something, or made way for another."""
    texts = ((thread / "status").read_text() for pid in pids for thread in threads_of(pid))
    return sum(int(line.split()[1]) for text in texts for line in text.splitlines() if "ctxt_switches" in line)
