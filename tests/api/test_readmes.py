"""READMEs are made once, and keep no page waiting."""

import threading

import anyio

from fileserver.api.readmes import Readmes
from fileserver.web.readme import Readme

CONTRIVED = "[" * 40_000  # takes a third of a second


def readme(text: str) -> Readme:
    return Readme("README.md", text, True, "/files/?view=README.md", "/files/", "/files/")


async def test_one_is_made_once_for_each_version() -> None:
    readmes = Readmes()
    first = await readmes.article(readme("*a*"), "1")
    assert "<em>a</em>" in first
    assert await readmes.article(readme("*a*"), "1") is first
    assert "<em>b</em>" in await readmes.article(readme("*b*"), "2")


async def test_the_oldest_is_forgotten() -> None:
    readmes = Readmes()
    first = await readmes.article(readme("*a*"), "0")
    for number in range(1, 65):
        await readmes.article(readme("*a*"), str(number))
    assert await readmes.article(readme("*a*"), "0") is not first


async def test_one_that_takes_long_is_shown_as_it_was_written_until_it_is_made() -> None:
    readmes = Readmes(patience_s=0.02)
    assert "<pre>[[" in await readmes.article(readme(CONTRIVED), "1")
    with anyio.fail_after(60):
        while "<p>[[" not in await readmes.article(readme(CONTRIVED), "1"):
            await anyio.sleep(0.1)


async def test_however_often_it_is_asked_for_one_thread_makes_it() -> None:
    readmes, before = Readmes(patience_s=0.01), threading.active_count()
    for _ in range(8):
        await readmes.article(readme(2 * CONTRIVED), "1")
    assert threading.active_count() <= before + 1
