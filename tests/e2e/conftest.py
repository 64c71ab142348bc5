# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the end-to-end tests: real mounts, real tools. Run with `python3 -m pytest tests/e2e`."""

import signal
import subprocess

import pytest

import helpers

TEST_LIMIT = 60  # seconds, times helpers.SLOW, for one test, unless it is marked limit(seconds)

# What can be tried where nothing can be mounted.
WITHOUT_MOUNTS = {"test_arrows", "test_completion", "test_docs", "test_install", "test_kernels", "test_texts"}


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): time that this test may take")
    helpers.become_subreaper()
    if not helpers.VCZFS.exists():
        raise pytest.UsageError(f"{helpers.VCZFS} does not exist: run make, or set VCZFS_BUILD")
    helpers.unpack_vectors()


def pytest_collection_modifyitems(items):
    """On a machine that lets nobody mount, as most containers are, the tests that mount are skipped, with its reason."""
    reason = helpers.why_nothing_can_be_mounted()
    for item in items if reason else []:
        if item.module.__name__ not in WITHOUT_MOUNTS:
            item.add_marker(pytest.mark.skip(reason=f"nothing can be mounted here: {reason}"))


@pytest.fixture(autouse=True)
def time_limit(request):
    """A test that hangs fails. (Readers stuck in the kernel are freed by the front's own alarm.)"""
    marker = request.node.get_closest_marker("limit")
    seconds = int((marker.args[0] if marker else TEST_LIMIT) * helpers.SLOW)

    def expired(_number, _frame):
        raise TimeoutError(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def mount():
    """mount(store, *options, env=None): a context manager that yields a helpers.Mount."""
    return helpers.mounted


@pytest.fixture
def refused():
    """refused(store, *options): the finished process of a mount that must fail."""
    return helpers.refused


@pytest.fixture
def scratch():
    """A directory of the test's own."""
    with helpers.scratch() as directory:
        yield directory


@pytest.fixture(scope="session")
def preload(tmp_path_factory):
    """The library that makes files fail: see drills.BadDisk."""
    library = tmp_path_factory.mktemp("preload") / "badfs.so"
    source = helpers.ROOT / "tests/preload/badfs.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-D_GNU_SOURCE", "-o", library, source], check=True)
    return library


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """generated(*mkvcz options): (store, VCF), made once a session for the same options."""
    made = {}

    def make(*options):
        if options not in made:
            place = tmp_path_factory.mktemp("mkvcz")
            text = place / "source.vcf"
            out = helpers.mkvcz(place / "generated.vcz", *options, "--vcf", text)
            made[options] = (out, text)
        return made[options]

    return make
