"""One of two processes is killed, again and again, while the other goes on: nothing waits for a restart.

Who had the killed one for his request does not know what came of it; uploads go on with whichever process answers.
"""

import os
import random
import signal
from functools import partial
from pathlib import Path

from tests.durability.crew import Crew
from tests.durability.promises import check_drafts, check_files
from tests.support.process import process_stats
from tests.support.server import Server, running_server, wait_until
from tests.support.wire import request

_KILLS = 12
_LATEST_S = 0.4


def test_workers_killed_in_the_middle_of_uploads(tmp_path: Path) -> None:
    crew, chance = Crew(3), random.Random(3)
    with running_server(tmp_path, "--workers", "2") as server:
        for _ in range(_KILLS):
            oldest = wait_until(lambda: _workers(server), lambda workers: len(workers) == 2)[0]
            wait_until(partial(_is_serving, oldest, server))
            crew.work_until(partial(os.kill, oldest, signal.SIGKILL), server, after_s=chance.uniform(0, _LATEST_S))
            check_files(tmp_path, crew.held, crew.undecided)
            check_drafts(tmp_path, crew.undecided)
            assert crew.refusals == []
    with running_server(tmp_path) as server:
        crew.look(server)
        crew.settle(server)
        crew.finish(server)


def _workers(server: Server) -> list[int]:
    """The processes that answer, the oldest first."""
    return [int(child) for child in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]


def _is_serving(worker: int, server: Server) -> bool:
    has_catalogue = any(name.endswith("catalogue.sqlite3") for name in process_stats(worker).descriptors)
    return has_catalogue and request(server.port, "GET", "/health").status == 200
