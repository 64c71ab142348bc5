# SPDX-License-Identifier: Apache-2.0
"""Every command that README.md and doc/RECIPES.md show in a console block works, and says what stands below it."""

import os
import random
import re
import shutil
import subprocess

import pytest

import helpers
import stores

NSAMPLES, NVARIANTS = 100, 400
SHAPE = ["--samples", NSAMPLES, "--variants", NVARIANTS, "--density", "dense", "--missing", "0.01", "--contigs", "2"]

RUN = {"bcftools", "bolt", "head", "ls", "mkdir", "plink1.9", "plink2", "vczfs"}
INSTALLING = {"git", "make", "python3", "sudo"}
# What Debian does not have, and a shell script in its place.
STAND_INS = {
    "vcf2zarr": 'exec cp -r store "${@: -1}"',
    "regenie": f'exec {os.environ.get("VCZFS_REGENIE", "true")} "$@"',
    "step1_fitNULLGLMM.R": "exec true",
    "step2_SPAtests.R": "exec true",
}


def commands(document):
    """(command, output) of each `$` in a console block; backslashes join lines to a command."""
    text = (helpers.ROOT / document).read_text()
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.M | re.S)
    found = re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ |#).*\n)*)", "".join(blocks), re.M)
    return [(command, output) for command, output in found if command.split()[0] not in INSTALLING]


def heritable_phenotype(vcf):
    """Half of it is what the alleles add up to: BOLT-LMM stops where it finds nothing heritable."""
    header, *records = [line.split("\t") for line in vcf.read_text().splitlines() if not line.startswith("##")]
    weights = random.Random(1)
    values = [0] * NSAMPLES
    for record in records:
        weight = weights.gauss(0, 1)
        values = [value + weight * call.count("1") for value, call in zip(values, record[9:])]
    lines = [f"{name} {name} {value + weights.gauss(0, 15):.2f}" for name, value in zip(header[9:], values)]
    return "\n".join(["FID IID y", *lines, ""])


def make_cohort(place):
    """The files that the commands begin with."""
    store = helpers.mkvcz(place / "store", *SHAPE, "--vcf", place / "calls.vcf")
    stores.write_strings(store / "variant_id", [f"rs{i}" for i in range(NVARIANTS)])
    subprocess.run(["bcftools", "view", "-Oz", "-o", "calls.vcf.gz", "calls.vcf"], cwd=place, check=True)
    (place / "pheno.txt").write_text(heritable_phenotype(place / "calls.vcf"))


def make_programs(place):
    """A PATH on which all programs are found."""
    bin_ = place / "bin"
    bin_.mkdir()
    for name, script in STAND_INS.items():
        (bin_ / name).write_text(f"#!/bin/bash\n{script}\n")
        (bin_ / name).chmod(0o755)
    return f"{bin_}:{helpers.BUILD.resolve()}:{os.environ['PATH']}"


@pytest.mark.parametrize("document", ["README.md", "doc/RECIPES.md"])
def test_commands(document, scratch):
    todo = commands(document)
    programs = {command.split()[0] for command, _ in todo}
    assert programs <= RUN | set(STAND_INS) and {"vcf2zarr", "vczfs", "plink2"} <= programs
    missing = [name for name in sorted(programs & RUN - {"vczfs"}) if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    make_cohort(scratch)
    env = helpers.test_environment({"PATH": make_programs(scratch)})
    for command, output in todo:
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=scratch, env=env, capture_output=True,
                              text=True, timeout=60 * helpers.SLOW, check=False)  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert not output or output.split() == done.stdout.split(), command
    assert not [point for point in helpers.mountinfo() if point.startswith(f"{scratch}/")]
