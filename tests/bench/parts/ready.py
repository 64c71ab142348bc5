# SPDX-License-Identifier: Apache-2.0
"""How long until a mount answers, what an idle one takes, and how long coming and going takes."""

import time

from mounts import Mount
from processes import proc_status
from text import MIB, mib


def measure(bench, store, seed, run):
    with Mount(bench, store.path) as mount:
        run["ready_s"] = mount.ready_seconds
        status = proc_status(mount.encoder)
        run["encoder_idle"], run["encoder_peak_ready"] = status["VmRSS"], status["VmHWM"]
        run["front_idle"] = proc_status(mount.front)["RssAnon"]
        run["sidecar_bytes"] = sum(mount.file.with_suffix(suffix).stat().st_size for suffix in (".bim", ".fam"))
        run["ready_variants"] = store.variants
        begin = time.monotonic()
    run["cycle_s"] = run["ready_s"] + time.monotonic() - begin


def lines(m):
    each = f", {m['ready_s'] * 1e6 / m['ready_variants']:.2f} µs a variant" if m["ready_variants"] >= 1e5 else ""
    return [
        ("time to ready", f"{m['ready_s'] * 1e3:8.0f} ms{each}; with unmounting {m['cycle_s'] * 1e3:.0f} ms"),
        (
            "memory then",
            f"encoder {mib(m['encoder_idle'])}, peak {mib(m['encoder_peak_ready'])}; front's own {mib(m['front_idle'])}; "
            f".bim and .fam {mib(m['sidecar_bytes'])}",
        ),
    ]


def headlines(m):
    return [
        ("ready, ms", m["ready_s"] * 1e3, "{:.0f}", False),
        ("encoder's memory when idle, MiB", m["encoder_idle"] / MIB, "{:.0f}", False),
    ]
