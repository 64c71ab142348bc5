# SPDX-License-Identifier: Apache-2.0
"""What two processes cost: CPU seconds of a whole mount that is read in sequence (front, encoder, reader) against those
of the encoder alone, which makes the same bytes for nobody (vczfs-encoderd --bench), plus those of the null file system
of the same size (server, reader). And what a megabyte takes: questions asked, times that a thread waited or was moved
out of the way."""

import json
import resource
import subprocess

from mounts import Mount, NullMount, read_ahead
from processes import cpu_exactly, switches
from timing import read_sequentially

BGEN_MOST = 2 << 30
KINDS = {"bed": ("mount-plink", None), "bgen": ("mount-bgen", BGEN_MOST)}


def own_cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def read_and_count(path, size, pids):
    """CPU seconds of the processes and of this one, and their context switches."""
    before, own, moved = cpu_exactly(pids), own_cpu(), switches(pids)
    read_sequentially(path, size)
    return cpu_exactly(pids) - before, own_cpu() - own, switches(pids) - moved


def questions(bench, mount):
    status = subprocess.run([bench.vczfs, "status", "--json", mount.directory], check=True, stdout=subprocess.PIPE)
    return json.loads(status.stdout)["encoder"]["counters"]["reads"]


def encoder_alone(bench, store, kind, size):
    command = [bench.build / "vczfs-encoderd", "--memory", bench.memory, "--threads", str(bench.threads)]
    command += ["--bench-bytes", str(size), "--bench", f".{kind}", store.path]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure_kind(bench, store, kind, run):
    verb, most = KINDS[kind]
    with Mount(bench, store.path, verb) as mount:
        ahead = read_ahead(mount)
        size = mount.file.stat().st_size if most is None else min(mount.file.stat().st_size, most)
        cpu, reader, moved = read_and_count(mount.file, size, [mount.front, mount.encoder])
        asked = questions(bench, mount)
    alone = encoder_alone(bench, store, kind, size)
    with NullMount(bench, size, ahead) as null:
        null_cpu, null_reader, null_moved = read_and_count(null.file, size, [null.process.pid])
    gb = size / 1e9
    run[f"{kind}_cost_mount"] = (cpu + reader) / gb
    run[f"{kind}_cost_alone"] = (alone["user"] + alone["system"]) / gb
    run[f"{kind}_cost_null"] = (null_cpu + null_reader) / gb
    run[f"{kind}_cost_ratio"] = run[f"{kind}_cost_mount"] / (run[f"{kind}_cost_alone"] + run[f"{kind}_cost_null"])
    run[f"{kind}_questions"] = asked / size * 1e6
    run[f"{kind}_switches"] = moved / size * 1e6
    run[f"{kind}_switches_null"] = null_moved / size * 1e6


def measure(bench, store, seed, run):
    for kind in KINDS:
        measure_kind(bench, store, kind, run)


def lines(m):
    rows = []
    for kind in KINDS:
        parts = f"mount {m[f'{kind}_cost_mount']:.2f}, encoder alone {m[f'{kind}_cost_alone']:.2f}, null {m[f'{kind}_cost_null']:.2f}"
        rows.append((f".{kind}, CPU s a GB", f"{parts}: {m[f'{kind}_cost_ratio']:.2f} × their sum"))
        counts = f"{m[f'{kind}_questions']:.2f} questions, {m[f'{kind}_switches']:.2f} context switches"
        rows.append(("  for each MB", f"{counts} (null {m[f'{kind}_switches_null']:.2f})"))
    return rows


def headlines(m):
    return [(f".{kind}: CPU × (encoder + null)", m[f"{kind}_cost_ratio"], "{:.2f}", False) for kind in KINDS]
