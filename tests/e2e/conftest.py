"""Fixtures for the end-to-end tests: real mounts, real tools. Run with `python3 -m pytest tests/e2e`."""

import os
import signal

import pytest

import helpers

TEST_LIMIT = 60  # seconds for one test, unless it is marked limit(seconds)


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): time that this test may take")
    helpers.become_subreaper()
    if not helpers.VCZFS.exists():
        raise pytest.UsageError(f"{helpers.VCZFS} does not exist: run make, or set VCZFS_BUILD")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise pytest.UsageError("/dev/fuse cannot be opened: these tests need real mounts")
    helpers.unpack_vectors()


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
