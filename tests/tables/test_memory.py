"""However long the table, memory stays flat."""

import subprocess
import sys


def test_forty_megabytes_pass_in_flat_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.tables.flat_memory"], capture_output=True, text=True, check=True
    )
    produced, grown = map(int, done.stdout.split())
    assert produced > 40_000_000
    assert grown < 8_000_000
