"""What others do to the folder is told once, and what is done through us is not told again."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from storage import Failed, Key
from storage.catalogue import Claim
from tests.storage.foreign_house import House, do, house_in


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    root = tmp_path / "root"
    root.mkdir()
    (root / "old").write_bytes(b"old")
    (root / "kept").mkdir()
    (root / "kept" / "a").write_bytes(b"a")
    (root / "kept" / "b").write_bytes(b"b")
    async with house_in(root) as opened:
        yield opened


CASES = {
    "written": ("echo x > new", ["other created new"]),
    "written anew": ("echo x > old", ["other replaced old"]),
    "appended to": ("echo x >> old", ["other replaced old"]),
    "opened and left as it is": (": >> old", []),
    "removed": ("rm old", ["other deleted old"]),
    "written and removed": ("echo x > new; rm new", []),
    "removed and written": ("rm old; echo x > old", ["other replaced old"]),
    "renamed": ("mv old new", ["other moved old -> new"]),
    "renamed twice": ("mv old new; mv new newer", ["other moved old -> newer"]),
    "renamed and back": ("mv old new; mv new old", []),
    "renamed into a folder": ("mv old kept/old", ["other moved old -> kept/old"]),
    "renamed over another": ("mv kept/a kept/b", ["other moved kept/a -> kept/b"]),
    "swapped": ("mv old new; mv kept/a old; mv new kept/a", ["other replaced kept/a", "other replaced old"]),
    "renamed and written": ("mv old new; echo x >> new", ["other created new", "other deleted old"]),
    "written and renamed": ("echo x >> old; mv old new", ["other created new", "other deleted old"]),
    "moved out": ("mv old $OUT/x", ["other deleted old"]),
    "moved in": ("echo x > $OUT/x; mv $OUT/x new", ["other created new"]),
    "moved in over another": ("echo x > $OUT/x; mv $OUT/x old", ["other replaced old"]),
    "as rsync does": ("echo x > .new.Ab12; mv .new.Ab12 new", ["other created new"]),
    "as rsync does over another": ("echo x > .old.Ab12; mv .old.Ab12 old", ["other replaced old"]),
    "as an editor does": ("mv old old~; echo x > old; rm old~", ["other replaced old"]),
    "as an editor does that keeps a copy": ("mv old old~; echo x > old", ["other created old~", "other replaced old"]),
    "linked": ("ln old new", ["other created new"]),
    "linked by name": ("ln -s old new", []),
    "turned into a link": ("rm old; ln -s kept old", ["other deleted old"]),
    "turned into a folder": ("rm old; mkdir old", ["other deleted old"]),
    "made a pipe": ("mkfifo new", []),
    "rights and times": ("chmod 600 old; touch -d 2020-01-01 kept/a", ["other replaced kept/a"]),
    "folder made": ("mkdir new", []),
    "folder made with files": (
        "mkdir -p new/a/b; echo x > new/a/b/c; echo y > new/d",
        ["other created new/a/b/c", "other created new/d"],
    ),
    "folder renamed": ("mv kept new", ["other moved kept/ -> new/"]),
    "folder renamed and written to": (
        "mv kept new; echo x > new/a",
        ["other moved kept/ -> new/", "other replaced new/a"],
    ),
    "written to and folder renamed": (
        "echo x > kept/c; mv kept new",
        ["other created new/c", "other moved kept/ -> new/"],
    ),
    "folder renamed twice": ("mv kept new; mv new newer", ["other moved kept/ -> new/", "other moved new/ -> newer/"]),
    "folder moved out": ("mv kept $OUT/kept", ["other deleted kept/a", "other deleted kept/b"]),
    "folder moved in": (
        "mkdir -p $OUT/new/a; echo x > $OUT/new/a/x; echo y > $OUT/new/y; mv $OUT/new new",
        ["other created new/a/x", "other created new/y"],
    ),
    "folder exchanged": (
        "mv kept $OUT/kept; mkdir kept; echo x > kept/b",
        ["other deleted kept/a", "other replaced kept/b"],
    ),
    "folder removed": ("rm -r kept", ["other deleted kept/a", "other deleted kept/b"]),
    "folder removed and made": (
        "rm -r kept; mkdir kept; echo x > kept/c",
        ["other created kept/c", "other deleted kept/a", "other deleted kept/b"],
    ),
    "our own folder": ("mkdir -p .fileserver/x .FileServer; echo x > .fileserver/x/y; echo x > .FileServer/y", []),
    "links to folders": ("ln -s $OUT out; echo x > out/y", []),
    "names of their own": (
        "mkdir 'a b'; printf x > \"$(printf 'a b/\\377')\"; printf x > \"$(printf 'a\\nb')\"",
        ["other created a\nb", "other created a b/\udcff"],
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_others_do_is_told_once(house: House, case: str) -> None:
    script, expected = CASES[case]
    async with house.watched():
        do(house, script)
        await house.tells(*expected)
    assert house.events == []


async def test_what_is_done_through_us_is_not_told_again(house: House) -> None:
    async with house.watched():
        await house.upload("new")
        await house.upload("old")
        await house.upload("kept/deep/er/c")
        await house.library.delete(Key("kept/a"))
        await house.tells("we created new", "we replaced old", "we created kept/deep/er/c", "we deleted kept/a")


async def test_who_comes_after_us_is_told_of_and_who_came_before_us_is_overtaken(house: House) -> None:
    async with house.watched():
        await house.upload("new")
        do(house, "echo x > new")
        await house.upload("kept/c")
        do(house, "rm kept/c")
        await house.library.delete(Key("old"))
        do(house, "echo x > old")
        do(house, "echo x > kept/a")
        await house.upload("kept/a")
        do(house, "rm kept/b")
        await house.upload("kept/b")
        ours = ["we created new", "we created kept/c", "we deleted old", "we replaced kept/a", "we created kept/b"]
        theirs = ["other replaced new", "other deleted kept/c", "other created old"]
        await house.tells(*ours, *theirs)


async def test_rights_that_change_right_after_a_commit_are_nothing_new(house: House) -> None:
    async with house.watched():
        await house.upload("new")
        do(house, "chmod 600 new; ln new $OUT/new")
        await house.tells("we created new")


async def test_a_commit_that_takes_long_is_waited_for(house: House) -> None:
    claim = Claim(Key("new"), "token", None, bytes(32))
    async with house.watched():
        assert await house.catalogue.claim(claim)
        do(house, "echo x > new")
        await house.tells()
        await house.tells()
        await house.catalogue.release(claim, await house.entry("new"))
        await house.tells("we created new")
        await house.tells()


async def test_a_claim_that_is_given_up_leaves_what_others_did(house: House) -> None:
    claim = Claim(Key("new"), "token", None, bytes(32))
    async with house.watched():
        assert await house.catalogue.claim(claim)
        do(house, "echo x > new")
        await house.tells()
        await house.catalogue.release(claim, None)
        do(house, "true")
        await house.tells("other created new")


async def test_a_dead_commit_is_left_to_whoever_ends_it(house: House) -> None:
    async with house.watched():
        with (house.root / "new").open("wb") as file:
            claim = Claim(Key("new"), "token", (await house.entry("new")).etag, bytes(32))
            assert await house.catalogue.claim(claim, now_ms=1)
            assert file.writable()
        await house.tells()
        await house.catalogue.release(claim, await house.entry("new"), is_new=True)
        do(house, "echo x >> new")
        await house.tells("we created new", "other replaced new")


async def test_a_dead_removal_is_left_to_whoever_ends_it(house: House) -> None:
    await house.upload("new")
    house.seen = len(await house.changes())
    async with house.watched():
        claim = Claim(Key("new"), "token")
        assert await house.catalogue.claim(claim, now_ms=1)
        do(house, "rm new")
        await house.tells()
        await house.library.sweep()
        await house.tells("we deleted new")


async def test_a_file_is_told_of_when_its_writer_has_closed_it(house: House) -> None:
    async with house.watched():
        with (house.root / "new").open("wb") as new, (house.root / "old").open("ab") as old:
            for file in (new, old):
                file.write(b"x")
                file.flush()
            await house.tells()
            file.write(b"y")
        await house.tells("other created new", "other replaced old")


async def test_a_file_that_came_with_its_folder_is_told_of_when_its_writer_has_closed_it(house: House) -> None:
    (house.root.parent / "outside").mkdir()
    with (house.root.parent / "outside" / "new").open("wb") as file:
        async with house.watched():
            do(house, "echo x > $OUT/whole; mv $OUT new")
            await house.tells("other created new/whole")
            file.write(b"x")
            file.close()
            await house.tells("other created new/new")


async def test_content_says_who_and_what(house: House) -> None:
    async with house.watched():
        do(house, "printf x > new; mv old older; rm kept/a")
        await house.told(3)
        told = {change.key: (change.kind, dict(change.content)) for change in await house.changes()}
    new, older = await house.entry("new"), await house.entry("older")
    assert told == {
        "new": ("created", {"size": 1, "etag": f'"{new.etag}"', "by": "other"}),
        "older": ("moved", {"from": "old", "size": 3, "etag": f'"{older.etag}"', "by": "other"}),
        "kept/a": ("deleted", {"by": "other"}),
    }


async def test_a_thousand_files_at_once(house: House) -> None:
    names = [f"{number:04}" for number in range(1000)]
    async with house.watched():
        do(house, "mkdir $OUT/many; cd $OUT/many; for n in $(seq -w 0 999); do echo $n > 0$n; done")
        do(house, "cp -r $OUT/many many")
        await house.tells(*(f"other created many/{name}" for name in names))
        do(house, "mv many many2; rm -r many2")
        await house.tells("other moved many/ -> many2/", *(f"other deleted many2/{name}" for name in names))


async def test_deep_trees_that_come_and_go(house: House) -> None:
    paths = [f"{a}/{b}/{c}" for a in "abc" for b in "defg" for c in "hijkl"]
    script = "; ".join(f"mkdir -p $OUT/t/{path}; echo x > $OUT/t/{path}/f; echo y > $OUT/t/{path}/g" for path in paths)
    files = [f"{path}/{name}" for path in paths for name in "fg"]
    async with house.watched():
        do(house, f"{script}; cp -r $OUT/t copied; mv $OUT/t moved")
        created = [f"other created {folder}/{file}" for folder in ("copied", "moved") for file in files]
        await house.tells(*created)
        do(house, "mv moved kept/again")
        await house.tells("other moved moved/ -> kept/again/")
        do(house, "echo x > kept/again/a/d/h/new; mv kept/again $OUT/t; rm -r copied")
        await house.tells(*(f"other deleted {folder}/{file}" for folder in ("copied", "kept/again") for file in files))


async def test_a_folder_that_takes_the_place_of_an_empty_one_is_watched_on(house: House) -> None:
    async with house.watched():
        do(house, "mkdir new; echo x > new/x; rm new/x")
        await house.told()
        do(house, "mv -T kept new")
        await house.tells("other moved kept/ -> new/")
        do(house, "echo x > new/a; rm new/b")
        await house.tells("other replaced new/a", "other deleted new/b")


async def test_what_happened_while_nobody_watched_is_not_told(house: House) -> None:
    async with house.watched():
        do(house, "echo x > new")
        await house.tells("other created new")
    do(house, "echo x > unseen; rm old; mkdir unseen2; echo x > unseen2/x")
    await anyio.sleep(0.02)  # a file's time is a tick behind the clock
    async with house.watched():
        await house.tells()
        do(house, "echo y > unseen2/x; rm unseen")
        await house.tells("other deleted unseen", "other replaced unseen2/x")


async def test_word_that_was_lost_is_made_good_by_a_look(house: House) -> None:
    async with house.watched():
        do(house, "mkdir gone; for n in x y; do echo 1 > $n; echo 1 > gone/$n; done; echo 1 > stays")
        await house.told(5)
        for _ in range(9000):  # while the loop is held up here nobody reads what the kernel has to say
            for name in "xy":
                (house.root / name).write_bytes(b"2")
        do(house, "echo 2 > old; rm kept/a; mv kept/b b; rm -r gone; mkdir -p new/er; echo 2 > new/er/x")
        created, replaced = ("b", "new/er/x"), ("old", "x", "y")
        deleted = ("gone/x", "gone/y", "kept/a", "kept/b")
        told = {"created": created, "replaced": replaced, "deleted": deleted}
        await house.tells(*(f"other {kind} {key}" for kind, keys in told.items() for key in keys))
        do(house, "echo 3 > new/er/x; echo 3 > stays; rm b; mv new kept")
        moved = "other moved new/ -> kept/new/"
        await house.tells("other deleted b", "other replaced kept/new/er/x", "other replaced stays", moved)
    assert house.events == []


async def test_of_two_processes_one_tells_and_the_other_takes_over(tmp_path: Path) -> None:
    async with house_in(tmp_path) as first, house_in(tmp_path) as second, second.watched():
        async with first.watched():
            do(first, "echo x > a")
            await first.tells("other created a")
        do(first, "echo x > b")
        await second.tells("other created a", "other created b")


async def test_a_folder_that_may_not_be_written_to_is_watched_by_each_process_for_itself(tmp_path: Path) -> None:
    houses = house_in(tmp_path, is_kept=False), house_in(tmp_path, is_kept=False)
    async with houses[0] as first, houses[1] as second, first.watched(), second.watched():
        do(first, "echo x > a")
        await first.tells("other created a")
        await second.tells("other created a")
    assert not (tmp_path / ".fileserver").exists()


async def test_a_catalogue_that_fails_is_told_of_and_asked_again(house: House) -> None:
    async with house.watched():
        house.change("ALTER TABLE claims RENAME TO away")
        do(house, "echo x > new")
        with anyio.fail_after(20):
            while not house.events:
                await anyio.sleep(0.01)
        house.change("ALTER TABLE away RENAME TO claims")
        await house.tells("other created new")
    assert {event.work for event in house.events if isinstance(event, Failed)} == {"watch"}


@pytest.mark.usefixtures("open_descriptors")
async def test_an_end_leaves_nothing_open(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house, house.watched():
        do(house, "mkdir a; echo x > a/b")
