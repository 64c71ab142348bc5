# SPDX-License-Identifier: Apache-2.0
"""Tests against the wider world: `make check-world`. Where a registry was not reached they are skipped with that reason."""

import os
import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import helpers  # noqa: E402

WORLD = pathlib.Path(os.environ.get("VCZFS_WORLD", helpers.ROOT / "build/world"))


def pytest_configure():
    helpers.become_subreaper()


def bring(name):
    """The folder of a part of the world (setup.sh), or a skip with the reason why it is not there."""
    missing = WORLD / f"{name}.missing"
    if missing.exists():
        pytest.skip(f"{name} could not be installed: {missing.read_text().strip()}")
    if not (WORLD / f"{name}.made").exists():
        pytest.skip(f"{name} is not installed: tests/world/setup.sh does that")
    return WORLD / name / "bin"


@pytest.fixture(scope="session")
def venv():
    """Where the programs from PyPI are."""
    return bring("venv")


@pytest.fixture(scope="session")
def go():
    """Where the programs written in Go are."""
    return bring("go")


@pytest.fixture(autouse=True, scope="session")
def can_mount():
    reason = helpers.why_nothing_can_be_mounted()
    if reason:
        pytest.skip(f"nothing can be mounted here: {reason}")


@pytest.fixture
def mount():
    return helpers.mounted


@pytest.fixture
def scratch():
    with helpers.scratch() as directory:
        yield directory
