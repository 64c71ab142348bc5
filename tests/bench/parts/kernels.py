# SPDX-License-Identifier: Apache-2.0
"""The genotype kernels by themselves: instructions, which need no quiet machine, and cycles of the time stamp counter,
for each byte of output, beside a memcpy of as many bytes. callgrind counts the same, where it is installed and knows the
instructions, and is asked for one kernel to say so."""

import re
import shutil
import subprocess

import instructions

CROSS_CHECKED = "bed-planes-avx2"


def wants(bench, store):
    """Once: kernels know no store."""
    return store.name == "2504"


def callgrind(bench):
    """Instructions of CROSS_CHECKED, or None."""
    if shutil.which("valgrind") is None:
        return None
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=run_kernel"]
    command += [bench.build / "tools/kernels", "run", CROSS_CHECKED]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    return int(found[1]) if found else None


def measure(bench, store, seed, run):
    for name, (nbytes, ticks) in instructions.run(bench.build, "time").items():
        run[f"kernel {name}, ticks"] = ticks / nbytes
    if seed > 0:
        return  # the same every time
    for name, (nbytes, count) in (instructions.run(bench.build, "count", "all") or {}).items():
        run[f"kernel {name}, instructions"] = count / nbytes
        if name == CROSS_CHECKED:
            run["kernel counted"] = count
    run["kernel callgrind"] = callgrind(bench)


def lines(m):
    rows = []
    for key in m:
        if key.startswith("kernel ") and key.endswith(", ticks"):
            name = key[len("kernel ") : -len(", ticks")]
            count = m.get(f"kernel {name}, instructions")
            text = f"{count:8.2f} instructions and " if count is not None else " " * 8
            rows.append((name, f"{text}{m[key]:.2f} cycles a byte"))
    if m.get("kernel callgrind") and m.get("kernel counted"):
        text = f"{m['kernel callgrind']:.0f} instructions by callgrind, {m['kernel counted']:.0f} counted"
        rows.append((f"{CROSS_CHECKED}, a row", text))
    return rows
