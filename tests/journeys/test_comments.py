"""People watch the same film or read the same log, and talk about it."""

import json
import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.listener import Framing, Stream, listen
from tests.support.server import Serve, Server, wait_until
from tests.support.wire import Answer, Truncated, request

FILM = "/comments/films/film.mp4"


def say(server: Server, text: str, href: str = FILM, **members: Any) -> Answer:
    body = json.dumps({"text": text, **members}).encode()
    return request(server.port, "POST", href, ("Content-Type", "application/json"), body=body)


def store(server: Server, key: str = "films/film.mp4") -> None:
    assert request(server.port, "PUT", f"/files/{key}", body=b"content").status in (200, 201)


def said(server: Server, href: str = FILM) -> list[dict[str, Any]]:
    """All comments on a file."""
    answer = request(server.port, "GET", href, ("Accept", "application/x-ndjson"))
    first, *comments, last = map(json.loads, answer.body.splitlines())
    assert (first["type"], last) == ("meta", {"type": "end", "records": len(comments)})
    return [{name: value for name, value in comment.items() if name != "type"} for comment in comments]


@pytest.mark.parametrize("framing", ["sse", "ndjson"])
def test_a_comment_and_its_removal_are_seen_live_by_whichever_process_one_is_served(
    serve: Serve, tmp_path: Path, framing: Framing
) -> None:
    server = serve(tmp_path, "--workers", "2")
    store(server)
    listeners = [listen(server.port, "/events?kind=comment", framing=framing).begun() for _ in range(6)]
    try:
        comment = json.loads(say(server, "Look!\nThere", author="Ada", media_time=61.5).body)
        location = f"{FILM}?comment={comment['id']}"
        assert request(server.port, "DELETE", location).status == 204
        for listener in listeners:
            kept, removed = listener.next(), listener.next()
            assert (kept.kind, kept.content["key"], kept.content["comment"]) == ("comment", "films/film.mp4", comment)
            assert removed.content["comment"] == {"id": comment["id"], "is_deleted": True}
            assert kept.content["href"] == "/files/films/film.mp4"
            assert [kept.last_id, removed.last_id] == [str(kept.content["id"]), str(removed.content["id"])]
    finally:
        for listener in listeners:
            listener.connection.close()


def test_who_comes_back_is_told_what_was_said_meanwhile_and_nothing_twice(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path)
    store(server)
    with listen(server.port, "/events?kind=comment&prefix=films/").begun() as listener:
        say(server, "first")
        last_id = listener.next().last_id
        assert last_id is not None
    store(server, "log")
    say(server, "elsewhere", "/comments/log")
    for number in range(20):
        say(server, f"{number}")
    with listen(server.port, "/events?kind=comment&prefix=films/", ("Last-Event-ID", last_id)).begun() as listener:
        assert texts_of(listener, 20) == [f"{number}" for number in range(20)]


def texts_of(listener: Stream, count: int) -> list[str]:
    return [listener.next().content["comment"]["text"] for _ in range(count)]


def test_what_was_answered_survives_the_death_of_the_server_and_was_told_once(serve: Serve, tmp_path: Path) -> None:
    server = serve(tmp_path)
    store(server)
    answered: list[dict[str, Any]] = []

    def talk() -> None:
        with suppress(OSError, Truncated):  # the server is dead
            while True:
                answered.append(json.loads(say(server, "text").body))

    with ThreadPoolExecutor(4) as threads:
        talks = [threads.submit(talk) for _ in range(4)]
        try:
            wait_until(lambda: len(answered), lambda count: count >= 50, timeout_s=30)
        finally:
            server.kill()
    for each in talks:
        each.result()
    again = serve(tmp_path)
    found = said(again)
    assert [comment for comment in found if comment in answered] == sorted(answered, key=itemgetter("id"))
    assert len(found) <= len(answered) + len(talks)
    assert told(again) == found


def told(server: Server) -> list[dict[str, Any]]:
    """All comments that the feed has told of so far."""
    with listen(server.port, "/events?kind=comment&follow=false&last_event_id=0", framing="ndjson") as records:
        return [record.content["comment"] for record in records.begun() if record.kind == "comment"]


@pytest.mark.parametrize("seed", range(2))
def test_no_comment_outlives_its_file_in_a_crowd(serve: Serve, tmp_path: Path, seed: int) -> None:
    server, chance = serve(tmp_path, "--workers", "2"), random.Random(seed)

    def talk() -> list[int]:
        statuses: list[int] = []
        while not statuses or statuses[-1] == 201:
            statuses.append(say(server, "text").status)
        return statuses

    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            store(server)
            talks = [threads.submit(talk) for _ in range(4)]
            wait_for_more(server, than=chance.randrange(8))
            assert request(server.port, "DELETE", "/files/films/film.mp4").status == 204
            assert {each.result()[-1] for each in talks} == {404}
            assert comments_left(tmp_path) == 0


def wait_for_more(server: Server, *, than: int) -> None:
    wait_until(lambda: len(said(server)), lambda count: count > than)


def comments_left(root: Path) -> int:
    """How many the catalogue has, whatever they are about."""
    with closing(sqlite3.connect(root / ".fileserver" / "catalogue.sqlite3")) as database:
        (count,) = database.execute("SELECT count(*) FROM comments").fetchone()
        return int(count)


def test_two_people_talk_in_their_browsers_by_the_script_of_the_document(
    browser: Browser, serve: Serve, tmp_path: Path
) -> None:
    server = serve(tmp_path)
    store(server, "server.log")
    say(server, "said before", "/comments/server.log")
    with browser.new_context() as context:
        ada, bob = context.new_page(), context.new_page()
        for page in (ada, bob):
            page.goto(f"{server.url}/docs")
            page.evaluate(f"() => {{ {SCRIPT} window.texts = () => [...shown.values()].map(({{text}}) => text) }}")
            see(page, "said before")
        comment = ada.evaluate(SAY, "<b>Look!</b>")
        for page in (ada, bob):
            see(page, "said before", "<b>Look!</b>")
        assert bob.evaluate(DELETE, comment["id"]) == 204
        for page in (ada, bob):
            see(page, "said before")


def see(page: Page, *texts: str) -> None:
    """Wait until a page shows these comments and no others."""
    wait_until(lambda: page.evaluate("texts()"), lambda seen: seen == list(texts))


SCRIPT = (Path(__file__).parents[2] / "docs" / "comments.md").read_text().partition("```js\n")[2].partition("```")[0]
SAY = """async (text) => {
  const headers = {'Content-Type': 'application/json'};
  const answer = await fetch('/comments/server.log', {method: 'POST', headers, body: JSON.stringify({text})});
  return await answer.json();
}"""
DELETE = """async (id) => {
  return (await fetch(`/comments/server.log?comment=${id}`, {method: 'DELETE'})).status;
}"""
