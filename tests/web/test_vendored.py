"""What we ship of others is what they published, with their licences, and checked as what it is."""

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fileserver.web.assets import STATIC

VENDOR = STATIC / "vendor"
RECORDED: dict[str, dict[str, Any]] = tomllib.loads((VENDOR / "VENDORED.toml").read_text("utf-8"))
PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", sorted(RECORDED))
def test_the_vendored_files_are_those_recorded(folder: str) -> None:
    files = (file for file in (VENDOR / folder).rglob("*") if file.is_file())
    found = {
        str(file.relative_to(VENDOR / folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.name not in RECORDED[folder].get("ours", ())
    }
    assert found == RECORDED[folder]["sha256"]
    assert "LICENSE" in found


def test_nothing_is_vendored_that_is_not_recorded() -> None:
    assert {path.name for path in VENDOR.iterdir()} == {*RECORDED, "VENDORED.toml"}


def test_the_types_that_are_checked_are_those_of_the_vendored_versions() -> None:
    checked = json.loads((PROJECT / "package.json").read_text("utf-8"))["devDependencies"]
    versions = {folder: known["version"] for folder, known in RECORDED.items() if folder in checked}
    assert versions == {folder: checked[folder] for folder in versions}
    assert versions.keys() == {"highlight.js", "hls.js", "photoswipe", "tus-js-client"}
