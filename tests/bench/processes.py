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
