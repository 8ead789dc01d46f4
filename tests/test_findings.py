"""How findings are told; what `verify` says of folders and URLs is tested where they are."""

import doctest

from fileserver import findings


def test_the_examples_hold() -> None:
    assert doctest.testmod(findings).failed == 0
