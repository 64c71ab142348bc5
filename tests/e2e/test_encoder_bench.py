# SPDX-License-Identifier: Apache-2.0
"""vczfs-encoderd --bench: what the encoder alone costs, of the same bytes as a mount shows."""

import json
import subprocess

import helpers
import pytest

STORE = helpers.VECTORS / "stores" / "biallelic.vcz"


def bench(*arguments):
    return subprocess.run([helpers.ENCODERD, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("file, suffix", [(".bed", ".bed"), ("plink", ".bed"), (".bgen", ".bgen")])
def test_every_byte_is_made(file, suffix, mount):
    done = bench("--threads", "2", "--bench", file, STORE)
    assert done.returncode == 0, done.stderr
    cost = json.loads(done.stdout)
    with mount(STORE, verb="mount-bgen" if suffix == ".bgen" else "mount-plink") as m:
        assert cost["bytes"] == m.path(suffix).stat().st_size
    assert cost["blocks"] > 0 and cost["bytes_decoded"] > 0 and cost["spans"] > 0
    assert cost["seconds"] > 0 and cost["user"] + cost["system"] > 0


def test_it_stops_where_it_is_told_to():
    done = bench("--bench-bytes", "1K", "--bench", ".bed", STORE)
    assert json.loads(done.stdout)["bytes"] == 1024


@pytest.mark.parametrize("arguments, status, what", [
    (["--bench", ".bed"], 2, "wants a file"),
    (["--bench", ".vcf", STORE], 1, ".vcf"),
    (["--bench", ".bed", "/nowhere.vcz"], 1, "/nowhere.vcz"),
])
def test_what_cannot_be_is_said(arguments, status, what):
    done = bench(*arguments)
    assert done.returncode == status and what in done.stderr and done.stdout == ""
