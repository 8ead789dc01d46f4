"""What needs no browser of the page's modules: `node --test` over tests/page/units."""

import subprocess
from pathlib import Path

import pytest

_UNITS = Path(__file__).parent / "units"


@pytest.mark.parametrize("unit", sorted(path.name for path in _UNITS.glob("*.test.mjs")))
def test_the_modules_keep_their_promises(unit: str) -> None:
    ran = subprocess.run(["node", "--test", unit], cwd=_UNITS, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
