"""How many files and connections a server may hold open at a time."""

import resource

import pytest

from tests.server.conftest import Start


@pytest.mark.parametrize("workers", [1, 2])
def test_the_limit_of_open_files_is_raised_as_far_as_it_goes(start: Start, workers: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
    try:
        server = start(workers=workers)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for pid in (server.process.pid, *server.workers()):
        assert _limits(pid) == {hard}


def _limits(pid: int) -> set[int]:
    """The soft and the hard limit of a process."""
    return set(resource.prlimit(pid, resource.RLIMIT_NOFILE))
