# SPDX-License-Identifier: Apache-2.0
"""VCZFS_CPU: the same bytes with the kernels of every level that this machine has, and no other level."""

import functools
import subprocess

import helpers
import pytest

# What the kernels choose between: .bed and .bgen, diploid and haploid, a subset, which is extracted, and the checksum of
# a shard's index.
VIEWS = [
    ("biallelic.vcz", "mount-plink", [".bed"], []),
    ("biallelic.vcz", "mount-bgen", [".bgen"], []),
    ("biallelic.vcz", "mount-plink", [".bed"], ["-s", "^BIA0000,BIA0039"]),
    ("v3_sharded.vcz", "mount-plink", [".bed"], []),
    ("haploid.vcz", "mount-plink", [".bed"], []),
    ("haploid.vcz", "mount-bgen", [".bgen"], ["--haploid"]),
]


def encoder(level):
    return subprocess.run([helpers.ENCODERD], env=helpers.test_environment({"VCZFS_CPU": level}), capture_output=True,
                          text=True, timeout=60, check=False)


def levels():
    """Those of this machine, from the message that lists them."""
    return encoder("none").stderr.split(" has ")[-1].strip().split(", ")


@functools.lru_cache(maxsize=None)
def shown(level):
    """The files of all views."""
    files = []
    for store, verb, suffixes, options in VIEWS:
        with helpers.mounted(helpers.store(store), *options, verb=verb, env={"VCZFS_CPU": level}) as m:
            files += [m.read(suffix) for suffix in suffixes]
    return files


@pytest.mark.parametrize("level", levels())
def test_a_level_makes_the_same_bytes(level):
    assert shown(level) == shown("")


def test_portable_is_everywhere():
    assert levels()[0] == "portable"


def test_another_level_is_refused(refused):
    done = encoder("abacus")
    assert done.returncode == 2
    assert "VCZFS_CPU=abacus: this machine has no such level; it has portable" in done.stderr
    front = refused(helpers.store("biallelic.vcz"), env={"VCZFS_CPU": "abacus"})
    assert front.returncode == 1
    assert "VCZFS_CPU=abacus" in front.stderr
