"""`get` and the NAME.part that is there already: nothing is lost by a failure, or by another's file."""

import json
import os
from pathlib import Path

import pytest

from fileserver.client.errors import Failed
from fileserver.client.get import GetOptions, get
from fileserver.client.part import Part
from fileserver.client.progress import Display
from fileserver.client.representation import Representation
from tests.client.scripted_web import Reply, Script, ranged, scripted_web
from tests.client.serving import CONTENT, TAG, Once, names
from tests.support.files import MIB


def _left(folder: Path, url: str, tag: str | None = TAG) -> bytes:
    """What a run of ours left of the file at a URL: its first MiB, and the journal."""
    known = Representation(len(CONTENT), tag, {}, has_ranges=True)
    with Part(folder / "file.bin", url) as part:
        part.begin(known)
        part.write(0, CONTENT[:MIB])
    return (folder / "file.bin.part.json").read_bytes()


@pytest.mark.parametrize("status", [200, 404])
def test_a_part_that_is_not_ours_is_refused_and_left_alone(folder: Path, display: Display, status: int) -> None:
    (folder / "file.bin.part").write_text("mine")
    with scripted_web(Once(then=lambda _: Reply(status, {"ETag": TAG}, CONTENT))) as origin:
        outcome = get(f"{origin}/file.bin", GetOptions(str(folder / "file.bin")), display)
    assert outcome.error == f"{folder}/file.bin.part is there and is not ours: --force overwrites it"
    assert ((folder / "file.bin.part").read_text(), names(folder)) == ("mine", ["file.bin.part"])


def test_force_overwrites_a_part_that_is_not_ours_only_after_a_good_answer(folder: Path, display: Display) -> None:
    (folder / "file.bin.part").write_text("mine")
    options = GetOptions(str(folder / "file.bin"), may_replace=True)
    with scripted_web(Once(lambda _: Reply(404))) as origin:
        assert not get(f"{origin}/file.bin", options, display).is_done
        assert (folder / "file.bin.part").read_text() == "mine"
        assert get(f"{origin}/file.bin", options, display).is_done
    assert names(folder) == ["file.bin"]
    assert (folder / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("path", ["file.bin", "elsewhere.bin"])
@pytest.mark.parametrize("script", [lambda _: Reply(404), lambda _: "cut"], ids=["404", "cut"])
def test_a_failure_keeps_the_part_of_an_earlier_run(folder: Path, display: Display, script: Script, path: str) -> None:
    with scripted_web(script) as origin:
        journal = _left(folder, f"{origin}/file.bin")
        assert not get(f"{origin}/{path}", GetOptions(str(folder / "file.bin"), retries=1), display).is_done
    assert (folder / "file.bin.part").read_bytes() == CONTENT[:MIB]
    assert (folder / "file.bin.part.json").read_bytes() == journal


def test_a_part_of_another_url_goes_on_where_size_and_strong_tag_are_the_same(folder: Path, display: Display) -> None:
    _left(folder, "http://elsewhere.invalid/file.bin")
    script = Once()
    with scripted_web(script) as origin:
        assert get(f"{origin}/file.bin", GetOptions(str(folder / "file.bin")), display).is_done
    assert script.ranges == [None, f"bytes={MIB}-{len(CONTENT) - 1}"]
    assert (folder / "file.bin").read_bytes() == CONTENT
    assert names(folder) == ["file.bin"]


def test_a_part_of_another_url_and_version_is_refused_unless_forced(folder: Path, display: Display) -> None:
    journal = _left(folder, "http://elsewhere.invalid/file.bin")
    with scripted_web(lambda asked: ranged(asked, CONTENT[::-1], etag='"two"')) as origin:
        refused = get(f"{origin}/file.bin", GetOptions(str(folder / "file.bin")), display)
        assert "--force overwrites it" in (refused.error or "")
        assert (folder / "file.bin.part").read_bytes() == CONTENT[:MIB]
        assert (folder / "file.bin.part.json").read_bytes() == journal
        assert get(f"{origin}/file.bin", GetOptions(str(folder / "file.bin"), may_replace=True), display).is_done
    assert (folder / "file.bin").read_bytes() == CONTENT[::-1]


def test_a_part_that_cannot_be_resumed_is_ours_and_begins_again(folder: Path, display: Display) -> None:
    with scripted_web(Once()) as origin:
        _left(folder, f"{origin}/file.bin", tag=None)
        assert json.loads((folder / "file.bin.part.json").read_text())["done"] == []
        assert get(f"{origin}/file.bin", GetOptions(str(folder / "file.bin")), display).is_done
    assert names(folder) == ["file.bin"]


def test_a_journal_that_cannot_be_written_leaves_nothing_half_and_is_named(folder: Path) -> None:
    (folder / "file.bin.part.json" / "in the way").mkdir(parents=True)
    with (
        pytest.raises(Failed, match=r"file\.bin\.part\.json"),
        Part(folder / "file.bin", "http://h/file.bin", may_replace=True) as part,
    ):
        part.begin(Representation(len(CONTENT), TAG, {}, has_ranges=True))
    assert not [name for name in os.listdir(folder) if name.startswith("file.bin.part.json.")]
