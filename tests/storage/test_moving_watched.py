"""Our own moves under the eyes of whoever watches for what others do: each is told once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage import Folder, Key
from tests.storage.foreign_house import House, do, house_in


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    root = tmp_path / "root"
    root.mkdir()
    async with house_in(root) as opened:
        yield opened


async def test_a_moved_file_is_told_once(house: House) -> None:
    await house.upload("a")
    await house.upload("taken", b"other")
    async with house.watched():
        await house.library.moving.move(Key("a"), Key("folder/b"))
        await house.tells("we moved a -> folder/b")
        await house.library.moving.move(Key("folder/b"), Key("taken"))
        await house.tells("we moved folder/b -> taken")


async def test_a_moved_folder_is_told_once_and_its_files_are_not(house: House) -> None:
    for key in ("a/x", "a/b/y"):
        await house.upload(key)
    async with house.watched():
        await house.library.moving.move_folder(Folder("a/"), Folder("c/"))
        await house.tells("we moved a/ -> c/")
        await house.library.moving.move_folder(Folder("c/"), Folder("a/"))
        await house.tells("we moved c/ -> a/")


async def test_what_others_do_in_a_moved_folder_is_told(house: House) -> None:
    await house.upload("a/x")
    async with house.watched():
        await house.library.moving.move_folder(Folder("a/"), Folder("c/"))
        await house.tells("we moved a/ -> c/")
        do(house, "echo new > c/new; echo other > c/x; mkdir a; echo again > a/x")
        await house.tells("other created c/new", "other replaced c/x", "other created a/x")
        do(house, "rm c/x")
        await house.tells("other deleted c/x")
        do(house, "mv c d")
        await house.tells("other moved c/ -> d/")


async def test_the_same_move_by_others_later_is_told(house: House) -> None:
    await house.upload("a/x")
    async with house.watched():
        await house.library.moving.move_folder(Folder("a/"), Folder("c/"))
        await house.tells("we moved a/ -> c/")
        do(house, "mv c a")
        await house.tells("other moved c/ -> a/")
        do(house, "mv a c")
        await house.tells("other moved a/ -> c/")


async def test_copies_and_new_folders_are_told_once(house: House) -> None:
    await house.upload("a/x")
    async with house.watched():
        await house.library.moving.copy(Key("a/x"), Key("b"))
        await house.library.moving.make_folder(Folder("new/"))
        await house.library.moving.copy_folder(Folder("a/"), Folder("c/"))
        await house.tells("we created b", "we created new/", "we created c/", "we created c/x")
