"""What a wish for a job may say, and how it is refused."""

import doctest

import pytest

from fileserver.api import job_wishes, transform_wishes
from fileserver.api.job_wishes import wish_of
from fileserver.http.problems import ProblemError
from storage import InvalidKey


@pytest.mark.parametrize("module", [job_wishes, transform_wishes])
def test_the_doctests_hold(module: object) -> None:
    ended = doctest.testmod(module)  # type: ignore[arg-type]  # a module is one
    assert ended.attempted > 0
    assert ended.failed == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"{", None),
        (b"[" * 16_000, None),
        (b"[]", None),
        (b'"verify"', None),
        (b"\xff", None),
        (b"{}", "work"),
        (b'{"work": ["verify"]}', "work"),
        (b'{"work": {}}', "work"),
        (b'{"work": "transform"}', "work"),
        (b'{"work": "verify", "prefix": 1}', "prefix"),
        (b'{"work": "verify", "prefix": null}', "prefix"),
        (b'{"work": "verify", "key": "a"}', "key"),
        (b'{"work": "index"}', "key"),
        (b'{"work": "index", "key": ["a"]}', "key"),
        (b'{"work": "index", "key": "a", "prefix": ""}', "prefix"),
        (b'{"work": "index", "key": "\\ud800"}', "key"),
        (b'{"work": "verify", "prefix": "a/\\ud800"}', "prefix"),
    ],
)
def test_what_is_no_wish_is_refused_with_the_member_at_fault(body: bytes, field: str | None) -> None:
    with pytest.raises(ProblemError) as refused:
        wish_of(body)
    assert refused.value.problem.type.status == 400
    assert refused.value.problem.extensions.get("field") == field


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{}", "No job is begun: `work` is missing."),
        (b'{"work": "index"}', "No job is begun: `key` is missing."),
        (b'{"work": "index", "key": null}', "No job is begun: `key` is a text."),
        (b'{"work": "mow"}', "No job is begun: `work` is one of verify, hash, index."),
    ],
)
def test_a_refusal_says_what_is_wrong(body: bytes, detail: str) -> None:
    with pytest.raises(ProblemError) as refused:
        wish_of(body)
    assert refused.value.problem.detail == detail


@pytest.mark.parametrize(
    "body",
    [
        b'{"work": "verify", "prefix": "../"}',
        b'{"work": "verify", "prefix": "/etc/"}',
        b'{"work": "hash", "prefix": "a//b"}',
        b'{"work": "hash", "prefix": ".fileserver/"}',
        b'{"work": "hash", "prefix": "a\\u0000/b"}',
        b'{"work": "index", "key": ".fileserver/catalogue.sqlite3"}',
        b'{"work": "index", "key": ""}',
        b'{"work": "index", "key": "folder/"}',
    ],
)
def test_what_lies_outside_is_no_object(body: bytes) -> None:
    with pytest.raises(InvalidKey):
        wish_of(body)


@pytest.mark.parametrize("prefix", ["", "a", "a/", "a/b", "\\udcff/", ".file"])
def test_any_beginning_of_a_key_is_a_prefix(prefix: str) -> None:
    assert wish_of(f'{{"work": "verify", "prefix": "{prefix}"}}'.encode()).work == "verify"
