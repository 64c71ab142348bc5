# SPDX-License-Identifier: Apache-2.0
"""Nothing outside encoderd/format knows which formats there are: a toy format is built in by files in that folder alone,
and then there are its command, its options in help and completion, its files and what a wrong value of its option says."""

import os
import shutil
import subprocess

import pytest

import helpers
import test_docs

pytestmark = pytest.mark.skipif(helpers.SANITIZED, reason="built from the objects of the plain build")

PARTS = ["common", "proto", "fused", "encoderd"]
STORE = "biallelic.vcz"


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """The programs with the format in them. Objects are copied with their times, so that only a few are made again."""
    tree = tmp_path_factory.mktemp("toy")
    for part in PARTS:
        shutil.copytree(helpers.ROOT / part, tree / part)
        shutil.copytree(helpers.BUILD / "obj" / part, tree / "build/obj" / part)
    for name in ("libraries", "libexecdir"):
        shutil.copy2(helpers.BUILD / name, tree / "build" / name)
    shutil.copy2(helpers.ROOT / "Makefile", tree)
    formats = tree / "encoderd/format"
    shutil.copy(helpers.ROOT / "tests/toy/toy.c", formats / "toy.c")
    shutil.copy(helpers.ROOT / "tests/toy/declared.c", formats / "declared/toy.c")
    with (formats / "declared/list.h").open("a") as listing:
        listing.write("FORMAT(toy)\n")
    libexecdir = (helpers.BUILD / "libexecdir").read_text().strip()
    done = subprocess.run(
        ["make", f"libexecdir={libexecdir}", "all"],
        cwd=tree, env={**os.environ, "MAKEFLAGS": ""}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = [line for line in done.stdout.splitlines() if line.startswith("  CC ")]
    assert 2 < len(made) < 20, "to add a format makes little again"
    return tree / "build"


def run(toy, *args):
    return subprocess.run(
        [toy / "vczfs", *map(str, args)], capture_output=True, text=True, timeout=60, check=False,
        env=helpers.test_environment(),
    )  # fmt: skip


def due(missing):
    """Digits of the .toy, by the .bed that is due."""
    bed = helpers.expected("biallelic_vcz-plink", ".bed")[3:]
    nsamples = len(helpers.expected("biallelic_vcz-plink", ".fam").splitlines())
    row = (nsamples + 3) // 4
    digits = "2" + missing + "10"
    return "".join(
        digits[bed[at + i // 4] >> 2 * (i % 4) & 3] for at in range(0, len(bed), row) for i in range(nsamples)
    ).encode()


@pytest.mark.parametrize("options, missing, family", [((), ".", None), (("--toy-missing", "x", "--fid", "0"), "x", "0")])
def test_its_files(toy, options, missing, family):
    source = helpers.store(STORE)
    ids = [line.split("\t")[1] for line in helpers.expected("biallelic_vcz-plink", ".fam").decode().splitlines()]
    with helpers.mounted(source, *options, program=toy / "vczfs", verb="mount-toy") as m:
        assert sorted(os.listdir(m.dir)) == ["biallelic.toy", "biallelic.toys"]
        assert (m.dir / "biallelic.toy").read_bytes() == due(missing)
        assert (m.dir / "biallelic.toys").read_text().splitlines() == [f"{family or name} {name} {missing}" for name in ids]


def test_it_is_one_of_all_formats(toy):
    with helpers.mounted(helpers.store(STORE), "--no-toys", program=toy / "vczfs", verb="mount") as m:
        assert (m.dir / "biallelic.toy").read_bytes() == due(".")
        assert {"biallelic.bed", "biallelic.bgen"} < set(os.listdir(m.dir)) and "biallelic.toys" not in os.listdir(m.dir)
    done = run(toy, "info", "--json", helpers.store(STORE))
    assert '"toy"' in done.stdout, done.stderr


def test_wrong_values(toy, scratch):
    for option in ("--toy-missing", "two"), ("--no-bim",), ("--no-toys=yes",):
        done = run(toy, "mount-toy", *option, helpers.store(STORE), scratch)
        assert done.returncode == 2 and option[0].partition("=")[0] in done.stderr, done.stderr
    assert "one character from '!' to '~', not 'two'" in run(toy, "info", "--toy-missing", "two", "x").stderr


def test_it_is_said(toy):
    assert "vczfs mount-toy [OPTIONS] STORE DIR" in (overview := run(toy, "--help").stdout)
    assert "show STORE as .toy and .toys in DIR" in overview
    new = {"--toy-missing", "--no-toys"}
    own = test_docs.help_options(run(toy, "mount-toy", "--help").stdout)
    assert new | {"--fid", "--memory"} <= own and "--no-bim" not in own
    for verb in ("mount", "info"):
        said = run(toy, verb, "--help").stdout
        assert "--toy-missing C           what stands for a missing call [! to ~; default: .]" in said
        # What holds the manual to the help would find that it lacks them.
        assert test_docs.help_options(said) - test_docs.page_options_of_verbs()[verb] == new
    completion = run(toy, "--completion").stdout
    assert "mount-toy" in completion and all(option in completion for option in new)
