"""Subtitle files beside a film: which are found, and each as WebVTT."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fileserver.delivery.subtitles import MAX_SIDECARS, Sidecars
from fileserver.media.faults import CannotConvert
from fileserver.media.subtitles.files import MAX_SIZE
from storage import Catalogue, InvalidKey, Key, Library, LocalStore, NotFound
from tests.storage.sites import cancelled_at

FILM = Key("films/film.mkv")
SRT = b"1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i> & <font>you</font>\n"
VTT = b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<i>Hello</i> &amp; you\n"


@pytest.fixture
async def sidecars(tmp_path: Path) -> AsyncIterator[Sidecars]:
    """The sidecars of a library with a film."""
    store(tmp_path, "films/film.mkv")
    library = Library(LocalStore(tmp_path), Catalogue(None), lambda _head, _name: "text/plain")
    await library.start()
    yield Sidecars(library)
    await library.close()


def store(root: Path, *names: str, content: bytes = SRT) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


async def names(sidecars: Sidecars, film: Key = FILM) -> list[str]:
    return [each.name for each in await sidecars.of(film)]


async def test_files_called_like_the_film_are_found_with_what_their_names_say(
    sidecars: Sidecars, tmp_path: Path
) -> None:
    store(tmp_path, "films/film.srt", "films/film.en.forced.vtt", "films/film.de.ass")
    store(tmp_path, "films/film.nfo", "films/film 2.srt", "films/film2.en.srt", "films/other.srt", "film.srt")
    found = {each.name: each.said for each in await sidecars.of(FILM)}
    assert list(found) == ["film.de.ass", "film.en.forced.vtt", "film.srt"]
    forced = found["film.en.forced.vtt"]
    assert (forced.language, forced.is_forced, forced.suffix) == ("en", True, "vtt")


async def test_a_film_at_the_root_has_them_too_and_a_film_may_have_none(sidecars: Sidecars, tmp_path: Path) -> None:
    assert await names(sidecars) == []
    store(tmp_path, "top.mp4", "top.en.srt")
    assert await names(sidecars, Key("top.mp4")) == ["top.en.srt"]


async def test_all_files_in_a_folder_for_subtitles_are_those_of_the_only_film(
    sidecars: Sidecars, tmp_path: Path
) -> None:
    store(tmp_path, "films/Subs/2_English.srt", "films/Subs/film.de.srt", "films/Subs/readme.txt", "films/cover.jpg")
    store(tmp_path, "films/Subs/film/fr.srt")
    assert await names(sidecars) == ["Subs/2_English.srt", "Subs/film.de.srt", "Subs/film/fr.srt"]
    store(tmp_path, "films/other.mp4")
    assert await names(sidecars) == ["Subs/film.de.srt", "Subs/film/fr.srt"]


@pytest.mark.parametrize("folder", ["Subs", "subs", "Subtitles", "subtitles"])
async def test_such_folders_have_several_names(sidecars: Sidecars, tmp_path: Path, folder: str) -> None:
    store(tmp_path, f"films/{folder}/film.en.srt")
    assert await names(sidecars) == [f"{folder}/film.en.srt"]
    assert (await sidecars.read(FILM, f"{folder}/film.en.srt")).text == VTT


async def test_a_folder_of_that_name_and_a_link_are_no_subtitles(sidecars: Sidecars, tmp_path: Path) -> None:
    (tmp_path / "films/film.en.srt").mkdir()
    (tmp_path / "secret").write_bytes(SRT)
    (tmp_path / "films/film.de.srt").symlink_to("/etc/passwd")
    assert await names(sidecars) == []
    for name in ("film.en.srt", "film.de.srt"):
        with pytest.raises(Exception) as raised:
            await sidecars.read(FILM, name)
        assert type(raised.value).__name__ in ("NotFound", "IsFolder")


async def test_so_many_are_found_at_most(sidecars: Sidecars, tmp_path: Path) -> None:
    store(tmp_path, *(f"films/film.{number}.srt" for number in range(MAX_SIDECARS + 20)))
    assert len(await names(sidecars)) == MAX_SIDECARS


@pytest.mark.parametrize("content", [SRT, SRT.replace(b"\n", b"\r\n"), SRT.decode().encode("utf-16"), VTT])
async def test_one_is_read_as_webvtt(sidecars: Sidecars, tmp_path: Path, content: bytes) -> None:
    store(tmp_path, "films/film.en.srt", content=content)
    read = await sidecars.read(FILM, "film.en.srt")
    assert (read.text, read.entry.key) == (VTT, "films/film.en.srt")


async def test_the_language_in_the_name_says_what_it_was_written_in(sidecars: Sidecars, tmp_path: Path) -> None:
    store(tmp_path, "films/film.ru.srt", content=SRT.replace(b"Hello", "Привет".encode("cp1251")))
    assert "Привет".encode() in (await sidecars.read(FILM, "film.ru.srt")).text


async def test_a_new_version_has_another_etag(sidecars: Sidecars, tmp_path: Path) -> None:
    store(tmp_path, "films/film.srt")
    before = (await sidecars.read(FILM, "film.srt")).entry.etag
    assert [each.entry.etag for each in await sidecars.of(FILM)] == [before]
    store(tmp_path, "films/film.srt", content=SRT * 2)
    assert (await sidecars.read(FILM, "film.srt")).entry.etag != before


@pytest.mark.parametrize(
    "name",
    ["film.mkv", "other.srt", "missing/film.srt", "Subs/film.txt", "../film.srt", "film.en.srt", "Subs/", "", "s2"],
)
async def test_nothing_else_is_read(sidecars: Sidecars, tmp_path: Path, name: str) -> None:
    store(tmp_path, "films/other.srt", "film.srt", "films/Subs/film.txt", "films/missing/film.srt")
    with pytest.raises(NotFound):
        await sidecars.read(FILM, name)


@pytest.mark.parametrize("name", ["Subs/../../film.srt", "Subs//film.srt", "Subs/../film.srt", "Subs/./film.srt"])
async def test_no_name_leads_out_of_the_folder(sidecars: Sidecars, tmp_path: Path, name: str) -> None:
    store(tmp_path, "film.srt", "films/film.srt", "films/Subs/film.srt")
    with pytest.raises(InvalidKey):
        await sidecars.read(FILM, name)


async def test_one_that_is_too_large_is_refused_unread(sidecars: Sidecars, tmp_path: Path) -> None:
    store(tmp_path, "films/film.srt", content=b"")
    os.truncate(tmp_path / "films/film.srt", MAX_SIZE + 1)
    with pytest.raises(CannotConvert):
        await sidecars.read(FILM, "film.srt")


async def test_whoever_leaves_leaves_nothing_open(sidecars: Sidecars, tmp_path: Path) -> None:
    store(tmp_path, "films/film.srt")
    await sidecars.read(FILM, "film.srt")  # what lasts is opened first
    before = len(list(Path("/proc/self/fd").iterdir()))
    number = 1
    while await cancelled_at(number, sidecars.read(FILM, "film.srt")):
        number += 1
    assert number > 1
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert (await sidecars.read(FILM, "film.srt")).text == VTT
