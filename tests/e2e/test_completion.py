# SPDX-License-Identifier: Apache-2.0
"""What bash offers where somebody presses the tabulator, by the script that `vczfs --completion` prints."""

import subprocess

import pytest

import helpers
import test_docs

ASK = """
compopt() { echo "compopt $*"; }
source /dev/stdin
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_vczfs
printf '%s\\n' "${COMPREPLY[@]}"
"""


FILES = ["compopt -o default"]  # bash looks for names of files by itself


@pytest.fixture(scope="module")
def script():
    return helpers.run("--completion").stdout


def offered(script, *words):
    """For a line whose last word is being typed, as bash cuts it up: = is a word."""
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "ask", "vczfs", *words],
        input=script, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_every_option_of_every_verb(script):
    verbs = test_docs.help_verbs()
    assert set(offered(script, "")) == verbs | {"--help", "--version", "--completion"}
    for verb in verbs:
        due = {word for word in test_docs.help_options(helpers.run(verb, "--help").stdout) if word.startswith("--")}
        assert set(offered(script, verb, "-")) == due


@pytest.mark.parametrize("words, due", [
    (["mo"], ["mount-plink", "mount-bgen", "mount"]),
    (["mount-bgen", "--no-b"], ["--no-bgi"]),
    (["mount-plink", "--no-b"], ["--no-bim"]),
    (["unmount", "--no-"], []),
    (["mount", "--fid", ""], ["ID", "0"]),
    (["mount", "--fid", "=", "I"], ["ID"]),
    (["mount", "--fid", "="], ["ID", "0"]),
    (["mount", "--formats", ""], ["plink", "bgen"]),
    (["info", "--for", "plink"], ["plink1.9", "plink2"]),
    (["info", "--regions-format", "="], ["auto", "bed", "tab", "vcf"]),
    (["mount", "--log-level", "w"], ["warning"]),
    (["mount", "--memory", ""], []),
    (["mount", "--no-bim", "a"], FILES),
    (["info", "a"], FILES),
    (["info", "-R", "a"], FILES),
    (["info", "--log-file", "=", "a."], FILES),
])  # fmt: skip
def test_words(words, due, script):
    assert offered(script, *words) == due
