# SPDX-License-Identifier: Apache-2.0
"""How figures look in the table."""

import sys

MIB = 1 << 20


def say(text):
    print(text, file=sys.stderr, flush=True)


def mib(value):
    return f"{value / MIB:.0f} MiB"


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))]


def speed(value, ceiling=None, blosc_speed=None):
    text = f"{value:8.0f} MB/s"
    if blosc_speed:
        text += f"  {value / blosc_speed:5.2f} × c-blosc"
    if ceiling:
        text += f"  {value / ceiling:5.2f} × null"
    return text
