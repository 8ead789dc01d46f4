"""kill -9, two hundred times, at random moments of uploads of every kind: what was acknowledged is there, whole.

A server is killed while four clients store files by PUT, by form, by tus and by the IETF draft, and remove some. The
next one over the same root has every promise looked at, then it is killed in its turn. Uploads that were cut off go on
under the next kill or are brought to their end before it.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.durability.crew import Crew
from tests.support.server import running_server

_LANES = 2  # roots at a time: a server mostly starts, which takes one processor
_KILLS = 25  # of each root's servers
_LATEST_S = 0.3


@pytest.mark.parametrize("seed", range(4))
def test_killed_in_the_middle_of_uploads(seed: int, tmp_path: Path) -> None:
    with ThreadPoolExecutor(_LANES) as threads:
        lanes = [
            threads.submit(_kill_again_and_again, tmp_path / str(lane), 10 * seed + lane) for lane in range(_LANES)
        ]
    for lane in lanes:
        lane.result()


def _kill_again_and_again(root: Path, seed: int) -> None:
    root.mkdir()
    crew, chance = Crew(seed), random.Random(seed)
    for _ in range(_KILLS):
        with running_server(root) as server:
            crew.look(server)
            crew.settle(server)
            crew.work_until(server.kill, server, after_s=chance.uniform(0, _LATEST_S))
        assert crew.refusals == []
    with running_server(root) as server:
        crew.look(server)
        crew.settle(server)
        crew.finish(server)
