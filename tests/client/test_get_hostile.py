"""`get` from servers that break, change and lie: the file is whole and right, or it is not there."""

import hashlib
import json
from pathlib import Path

import pytest

from fileserver.http.digests import format_digest
from tests.client.scripted_web import Asked, Reply, ranged
from tests.client.serving import CONTENT, DIGEST, TAG, Fetch, Once, names
from tests.support.files import MIB


def test_what_was_told_of_the_file_is_verified(fetch: Fetch, folder: Path) -> None:
    outcome = fetch(lambda asked: ranged(asked, CONTENT, etag=TAG, repr_digest=DIGEST))
    assert (outcome.status, outcome.verified, outcome.error) == ("done", True, None)
    assert (folder / "file.bin").read_bytes() == CONTENT


def test_a_digest_of_the_larger_kind_is_verified(fetch: Fetch) -> None:
    told = format_digest("sha-512", hashlib.sha512(CONTENT).digest())
    assert fetch(lambda asked: ranged(asked, CONTENT, repr_digest=told)).verified


def test_a_file_without_a_digest_is_unverified(fetch: Fetch) -> None:
    outcome = fetch(lambda asked: ranged(asked, CONTENT))
    assert (outcome.status, outcome.verified) == ("done", False)


def test_bytes_with_another_digest_are_not_kept(fetch: Fetch, folder: Path) -> None:
    outcome = fetch(lambda asked: ranged(asked, CONTENT[::-1], etag=TAG, repr_digest=DIGEST))
    assert outcome.status == "failed"
    assert "digest" in (outcome.error or "")
    assert names(folder) == []


def test_a_cut_body_is_gone_on_with_where_it_ended(fetch: Fetch, folder: Path) -> None:
    script = Once(lambda asked: Reply(200, {"ETag": TAG, "Accept-Ranges": "bytes"}, CONTENT, sent=MIB))
    assert fetch(script).is_done
    assert (folder / "file.bin").read_bytes() == CONTENT
    assert script.asked[1].fields["if-range"] == TAG
    resumed_at = int((script.ranges[1] or "").removeprefix("bytes=").split("-")[0])
    assert 0 < resumed_at <= MIB


def test_more_cuts_than_retries_are_fine_while_bytes_advance(fetch: Fetch, folder: Path) -> None:
    def cut(asked: Asked) -> Reply:
        honest = ranged(asked, CONTENT, etag=TAG)
        return Reply(honest.status, honest.fields, honest.body, sent=MIB // 2)

    assert fetch(Once(*(cut for _ in range(5)))).is_done
    assert (folder / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("tag", ['W/"weak"', ""])
def test_without_a_strong_validator_it_starts_over(fetch: Fetch, folder: Path, tag: str) -> None:
    script = Once(
        lambda asked: Reply(200, {"ETag": tag, "Accept-Ranges": "bytes"}, CONTENT, sent=MIB),
        then=lambda asked: Reply(200, {"ETag": tag, "Accept-Ranges": "bytes"}, CONTENT),
    )
    assert fetch(script).is_done
    assert script.ranges == [None, None]
    assert (folder / "file.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_is_asked_for_the_whole_again(fetch: Fetch, folder: Path) -> None:
    script = Once(lambda asked: Reply(200, {"ETag": TAG}, CONTENT, sent=MIB), then=lambda _: Reply(200, {}, CONTENT))
    assert fetch(script).is_done
    assert (folder / "file.bin").read_bytes() == CONTENT


def test_a_file_that_changes_midway_is_fetched_anew(fetch: Fetch, folder: Path) -> None:
    new = CONTENT[::-1]
    script = Once(
        lambda asked: Reply(200, {"ETag": TAG, "Accept-Ranges": "bytes"}, CONTENT, sent=MIB),
        then=lambda asked: ranged(asked, new, etag='"two"'),
    )
    assert fetch(script).is_done
    assert (folder / "file.bin").read_bytes() == new


def test_a_server_that_ignores_if_range_is_seen_through(fetch: Fetch, folder: Path) -> None:
    """It sends a part of the new version with the new tag; the sizes are the same."""
    new = CONTENT[::-1]

    def careless(asked: Asked) -> Reply:
        asked.fields["if-range"] = '"two"'
        return ranged(asked, new, etag='"two"')

    script = Once(lambda asked: Reply(200, {"ETag": TAG, "Accept-Ranges": "bytes"}, CONTENT, sent=MIB), then=careless)
    assert fetch(script).is_done
    assert (folder / "file.bin").read_bytes() == new


@pytest.mark.parametrize(
    "content_range",
    ["bytes 0-{last}/{size}", "bytes {first}-{last}/*", "bytes {first}-{last}", "", "bytes {next}-{last}/{size}"],
)
def test_another_range_than_was_asked_for_is_no_part_of_the_file(
    fetch: Fetch, folder: Path, content_range: str
) -> None:
    def wrong(asked: Asked) -> Reply:
        first = int(asked.fields["range"].removeprefix("bytes=").split("-")[0])
        said = content_range.format(first=first, next=first + 1, last=len(CONTENT) - 1, size=len(CONTENT))
        return Reply(206, {"ETag": TAG, "Content-Range": said}, CONTENT[first:])

    head = {"ETag": TAG, "Accept-Ranges": "bytes", "Repr-Digest": DIGEST}
    outcome = fetch(Once(lambda asked: Reply(200, head, CONTENT, sent=MIB), then=wrong))
    if content_range.endswith("/*"):  # allowed, and the bytes are the right ones
        assert outcome.is_done
    else:
        assert "Content-Range" in (outcome.error or "") or "asked for" in (outcome.error or "")
        assert names(folder) == ["file.bin.part", "file.bin.part.json"]


def test_a_size_that_shrank_starts_over(fetch: Fetch, folder: Path) -> None:
    script = Once(
        lambda asked: Reply(200, {"ETag": TAG, "Accept-Ranges": "bytes"}, CONTENT, sent=MIB),
        lambda asked: Reply(416, {"Content-Range": "bytes */5"}),
        then=lambda asked: ranged(asked, b"small", etag='"two"'),
    )
    assert fetch(script).is_done
    assert (folder / "file.bin").read_bytes() == b"small"


def test_trouble_that_passes_is_waited_out(fetch: Fetch) -> None:
    busy = Reply(503, {"Retry-After": "1"})
    assert fetch(Once(lambda _: busy, lambda _: Reply(429), lambda _: Reply(502))).is_done


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_a_refusal_is_final(fetch: Fetch, folder: Path, status: int) -> None:
    problem = json.dumps({"title": "No", "detail": "not for you\x1b[2J"}).encode()
    script = Once(then=lambda _: Reply(status, {"Content-Type": "application/problem+json"}, problem))
    outcome = fetch(script)
    assert str(status) in (outcome.error or "")
    assert "No: not for you" in (outcome.error or "")
    assert len(script.asked) == 1
    assert names(folder) == []


def test_patience_ends(fetch: Fetch, folder: Path) -> None:
    script = Once(then=lambda _: Reply(503))
    assert "given up after 4 tries" in (fetch(script).error or "")
    assert (len(script.asked), names(folder)) == (4, [])


def test_a_body_whose_end_nothing_tells_is_not_taken_for_a_file(fetch: Fetch, folder: Path) -> None:
    outcome = fetch(lambda _: Reply(200, {"Content-Length": "", "Connection": "close"}, CONTENT, sent=MIB))
    assert "neither length nor digest" in (outcome.error or "")
    assert names(folder) == []


def test_a_body_in_chunks_is_taken_when_it_ended(fetch: Fetch, folder: Path) -> None:
    chunked = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    whole = b"%x\r\n%b\r\n0\r\n\r\n" % (len(CONTENT), CONTENT)
    assert fetch(
        Once(lambda _: Reply(200, chunked, whole, sent=MIB), then=lambda _: Reply(200, chunked, whole))
    ).is_done
    assert (folder / "file.bin").read_bytes() == CONTENT
