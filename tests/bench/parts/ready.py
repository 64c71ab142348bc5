"""How long until a mount answers, and what an idle one takes."""

from mounts import Mount
from processes import proc_status
from text import mib


def measure(bench, store, seed, run):
    with Mount(bench, store.path) as mount:
        run["ready_s"] = mount.ready_seconds
        run["encoder_idle"] = proc_status(mount.encoder)["VmRSS"]


def lines(m):
    return [
        ("time to ready", f"{m['ready_s'] * 1e3:8.0f} ms"),
        ("encoder's memory then", mib(m["encoder_idle"])),
    ]
