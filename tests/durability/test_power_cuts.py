"""The power is cut at random moments of uploads of every kind: what was acknowledged is there, whole.

The same clients and the same checks as for a killed process, on a file system of the test's own. What was not synced is
lost here, so each sync that is left out, or comes too late, breaks a promise.
"""

import random
import shutil
from pathlib import Path

import pytest

from tests.durability.changes import BrokenPromise
from tests.durability.crew import Crew
from tests.durability.disks import another_boot, loop_disk
from tests.durability.promises import check_files
from tests.support.files import MIB
from tests.support.server import running_server

_SIZE = 320 * MIB  # XFS is no smaller
_LATEST_S = 0.6  # on a disk that waits for its writes
_NO_SYNC = (
    "strace",
    "-D",
    "-f",
    "-o",
    "/dev/null",
    "-e",
    "inject=fsync,fdatasync:retval=0",
    "-e",
    "trace=fsync,fdatasync",
)


@pytest.mark.parametrize(("kind", "cuts"), [("ext4", 20), ("xfs", 10)])
def test_the_power_is_cut_in_the_middle_of_uploads(kind: str, cuts: int, tmp_path: Path) -> None:
    crew, chance = Crew(cuts), random.Random(cuts)
    with loop_disk(tmp_path, _SIZE, kind) as disk:
        for number in range(cuts):
            with running_server(disk.root, prefix=another_boot(tmp_path, number)) as server:
                crew.look(server)
                crew.settle(server)
                crew.work_until(disk.cut_power, server, after_s=chance.uniform(0, _LATEST_S))
            disk.unmount()
            disk.mount()
        with running_server(disk.root, prefix=another_boot(tmp_path, cuts)) as server:
            crew.look(server)
            crew.settle(server)
            crew.finish(server)


def test_without_syncs_the_same_cut_breaks_promises(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    crew = Crew(1)
    with loop_disk(tmp_path, _SIZE) as disk:
        with running_server(disk.root, prefix=_NO_SYNC) as server:
            crew.work_until(disk.cut_power, server, after_s=1)
        assert crew.held
        disk.unmount()
        disk.mount()
        with pytest.raises(BrokenPromise):
            check_files(disk.root, crew.held, crew.undecided)
