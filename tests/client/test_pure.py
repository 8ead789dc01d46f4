"""What the client decides without a network: spans, names, sizes, waits, validators, offers."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from urllib3 import HTTPHeaderDict

from fileserver.client.chunks import MIN_CHUNK, ChunkSizes, parse_size
from fileserver.client.digest import RunningDigest
from fileserver.client.errors import Broken, Failed, Unreachable
from fileserver.client.naming import kept_name, told_name
from fileserver.client.representation import validator_of
from fileserver.client.retries import LIVE_RETRIES, LIVE_WAIT_S, Patience, retry_after_s, waiting_s
from fileserver.client.source import sources_of
from fileserver.client.spans import divided, joined, missing, parse_content_range
from fileserver.client.tus import offer_of
from tests.support.files import known_bytes

SPANS = some.lists(some.tuples(some.integers(0, 60), some.integers(0, 12)).map(lambda pair: range(pair[0], sum(pair))))


@given(SPANS, some.integers(73, 90), some.integers(1, 9))
def test_what_is_there_and_what_is_missing_are_the_whole(spans: list[range], size: int, count: int) -> None:
    done = joined(spans)
    rest = missing(done, size)
    assert sorted(place for span in (*done, *rest) for place in span) == list(range(size))
    parts = divided(rest, count)
    assert [place for span in parts for place in span] == [place for span in rest for place in span]
    assert len(parts) >= min(count, sum(map(len, rest)) // count)


@pytest.mark.parametrize(
    "field",
    [
        None,
        "",
        "bytes */10",
        "bytes 0-10/10",
        "bytes 5-4/10",
        "items 0-4/10",
        "bytes 0-4",
        "bytes 0-4/x",
        "bytes -1-4/9",
    ],
)
def test_a_content_range_that_is_not_to_be_believed(field: str | None) -> None:
    assert parse_content_range(field) is None


def test_a_content_range_of_unknown_size() -> None:
    assert parse_content_range("bytes 2-4/*") == (range(2, 5), None)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (None, "seg.txt"),
        ("attachment", "seg.txt"),
        ("attachment; filename=plain.txt", "plain.txt"),
        ('attachment; filename="a;b.txt"', "a;b.txt"),
        ("attachment; filename=\"x\"; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        ("attachment; filename=\"x.txt\"; filename*=latin-9''y", "x.txt"),
        ("attachment; filename*=ISO-8859-1'en'%A3.txt", "£.txt"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\boot.ini"', "boot.ini"),
        ('attachment; filename="/"', "download"),
        ('attachment; filename=".netrc"', "netrc"),
        ("attachment; filename*=UTF-8''%2e%2e%2f.ssh%2fauthorized_keys", "authorized_keys"),
        ('attachment; filename="..."', "download"),
        ('attachment; filename="a\x01b\x7f.txt"', "ab.txt"),
        ('attachment; filename="NUL.txt"', "_NUL.txt"),
    ],
)
def test_the_name_of_a_download(disposition: str | None, name: str) -> None:
    assert kept_name(disposition, "http://host/a/seg.txt?x=/y") == name


def test_a_url_without_a_name() -> None:
    assert kept_name(None, "http://host/") == "download"
    assert told_name("attachment; filename=") is None


def test_sizes_of_requests_fall_to_what_passes_and_stay_there() -> None:
    sizes = ChunkSizes()
    seen = []
    while (size := sizes.of(10**12)) > 2**20:
        seen.append(size)
        sizes.was_refused(size)
    assert seen == [10**12, *(2**power for power in range(26, 20, -1))]
    sizes.has_passed()
    assert sizes.of(10**12) == 2**20


def test_a_size_that_died_is_tried_again_after_smaller_ones_passed() -> None:
    sizes = ChunkSizes(8 * MIN_CHUNK)
    sizes.has_died(sizes.of(10**9))
    sizes.has_died(sizes.of(10**9))
    assert sizes.of(10**9) == 2 * MIN_CHUNK
    for _ in range(5):
        sizes.has_passed()
    assert sizes.of(10**9) == 8 * MIN_CHUNK


def test_the_least_size_refused_is_the_end() -> None:
    with pytest.raises(Failed):
        ChunkSizes().was_refused(MIN_CHUNK)


@pytest.mark.parametrize("text", ["", "many", "-5", "0", "1.5MB", "5 apples"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError):
        parse_size(text)


def test_waits_double_up_to_a_limit_and_obey_the_server() -> None:
    waits = [waiting_s(failures) for failures in (1, 2, 3, 4, 5, 1000)]
    for wait, longest in zip(waits, (0.5, 1, 2, 4, 8, 30), strict=True):
        assert longest / 2 <= wait <= longest
    assert waiting_s(1, 7) == 7
    assert waiting_s(1, 10**9) == 300


def test_a_live_stream_is_tried_every_few_seconds_for_five_minutes() -> None:
    waits: list[float] = []
    patience = Patience(LIVE_RETRIES, print, longest_s=LIVE_WAIT_S, wait=waits.append)
    with pytest.raises(Failed, match="given up after 81 tries"):
        for _ in range(LIVE_RETRIES + 1):
            patience.after(Broken("cut"))
    assert max(waits) <= 5
    assert 250 < sum(waits) < 350


def test_who_never_answered_is_left_soon_and_who_comes_back_is_greeted() -> None:
    said: list[str] = []
    patience = Patience(LIVE_RETRIES, said.append, wait=str)
    patience.connected()
    for error in (Unreachable("nobody"), Broken("cut")):
        patience.after(error)
        patience.connected()
        patience.connected()
    assert [text for text in said if "trying" not in text] == ["connected", "connected again"]
    with pytest.raises(Failed, match="nobody; given up after 3 tries"):
        for _ in range(3):
            patience.after(Unreachable("nobody"))


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
    assert retry_after_s("Fri, 01 May 2026 12:00:30 GMT", now) == 30
    assert retry_after_s("Fri, 01 May 2026 11:00:00 GMT", now) == 0


def test_patience_ends_only_where_nothing_advances() -> None:
    patience = Patience(2, print, wait=str)
    for position in range(1, 20):
        patience.after(Broken("cut"))
        assert patience.advanced(position)
    patience.after(Broken("cut"))
    assert not patience.advanced(19)
    patience.after(Broken("cut"))
    with pytest.raises(Failed, match="given up after 3 tries"):
        patience.after(Broken("cut"))


NOW = "Fri, 01 May 2026 12:00:30 GMT"
EARLIER = "Fri, 01 May 2026 12:00:29 GMT"


@pytest.mark.parametrize(
    ("fields", "validator"),
    [
        ({"ETag": '"a"', "Last-Modified": EARLIER, "Date": NOW}, '"a"'),
        ({"ETag": 'W/"a"'}, None),
        ({"ETag": 'W/"a"', "Last-Modified": EARLIER, "Date": NOW}, None),
        ({"ETag": "bare"}, None),
        ({"Last-Modified": EARLIER, "Date": NOW}, EARLIER),
        ({"Last-Modified": NOW, "Date": NOW}, None),  # it may have changed again within that second
        ({"Last-Modified": EARLIER}, None),
        ({"Last-Modified": "long ago", "Date": NOW}, None),
        ({}, None),
    ],
)
def test_what_may_stand_in_if_range(fields: dict[str, str], validator: str | None) -> None:
    assert validator_of(HTTPHeaderDict(fields)) == validator


@pytest.mark.parametrize(
    ("fields", "is_offer"),
    [
        ({"Tus-Version": "1.0.0", "Tus-Extension": "creation"}, True),
        ({"Tus-Version": "0.2.2, 1.0.0", "Tus-Extension": "checksum, creation", "Allow": "POST, OPTIONS"}, True),
        ({"Tus-Version": "0.2.2", "Tus-Extension": "creation"}, False),
        ({"Tus-Version": "1.0.0"}, False),
        ({"Tus-Version": "1.0.0", "Tus-Extension": "creation", "Allow": "HEAD, PATCH"}, False),
        ({"Allow": "POST"}, False),
    ],
)
def test_where_uploads_are_created(fields: dict[str, str], is_offer: bool) -> None:
    assert (offer_of("/u", HTTPHeaderDict(fields)) is not None) is is_offer


def test_a_digest_of_blocks_that_come_twice_or_out_of_order(tmp_path: Path) -> None:
    content = known_bytes(10_000)
    path = tmp_path / "file"
    path.write_bytes(content)
    whole = RunningDigest()
    whole.take(0, content)
    digest = RunningDigest()
    digest.take(0, content[:4000])
    digest.take(2000, content[2000:5000])
    digest.take(7000, content[7000:])
    assert digest.position == 5000
    with path.open("rb") as file:
        digest.catch_up(file.fileno(), len(content))
    assert digest.digest() == whole.digest()


def test_a_folder_is_all_its_files_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "shelf" / "deep").mkdir(parents=True)
    (tmp_path / "shelf" / "deep" / "b").write_text("b")
    (tmp_path / "shelf" / "a").write_text("a")
    (tmp_path / "shelf" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "single").write_text("s")
    sources = list(sources_of([tmp_path / "shelf", tmp_path / "single", tmp_path / "missing"], print))
    assert [source.name for source in sources] == ["shelf/a", "shelf/deep/b", "single", "missing"]
