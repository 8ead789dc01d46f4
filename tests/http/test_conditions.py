"""Preconditions, row by row (RFC 9110 s.13)."""

import pytest

from fileserver.http.conditions import Validators, Verdict, evaluate, if_range_holds
from fileserver.http.dates import format_http_date
from fileserver.http.entity_tags import EntityTag, parse_entity_tags
from fileserver.http.fields import Fields

MODIFIED_S = 784111777
NOW_S = 1_800_000_000
SAME, EARLIER, LATER = (format_http_date(MODIFIED_S + delta) for delta in (0, -1, 1))
CURRENT = Validators(EntityTag("a,b"), MODIFIED_S)
GO, SAME_YET, FAILED = Verdict.PROCEED, Verdict.NOT_MODIFIED, Verdict.PRECONDITION_FAILED

ROWS: list[tuple[list[tuple[str, str]], Verdict, Verdict]] = [
    # the fields; the verdict on GET; the verdict on PUT
    ([], GO, GO),
    # If-Match compares strongly (s.13.1.1)
    ([("if-match", '"a,b"')], GO, GO),
    ([("if-match", '"x", "a,b"')], GO, GO),
    ([("if-match", "*")], GO, GO),
    ([("if-match", '"x"')], FAILED, FAILED),
    ([("if-match", 'W/"a,b"')], FAILED, FAILED),
    ([("if-match", "a,b")], FAILED, FAILED),
    ([("if-match", '"a"'), ("if-match", '"a,b"')], GO, GO),
    # If-None-Match compares weakly, in all its lines (s.13.1.2)
    ([("if-none-match", '"a,b"')], SAME_YET, FAILED),
    ([("if-none-match", 'W/"a,b"')], SAME_YET, FAILED),
    ([("if-none-match", '"x"'), ("if-none-match", '"a,b"')], SAME_YET, FAILED),
    ([("if-none-match", "*")], SAME_YET, FAILED),
    ([("if-none-match", '"a", "b"')], GO, GO),
    ([("if-none-match", "a,b")], GO, GO),
    ([("if-none-match", '"a,b" "x"')], GO, GO),
    # dates
    ([("if-modified-since", SAME)], SAME_YET, GO),
    ([("if-modified-since", LATER)], SAME_YET, GO),
    ([("if-modified-since", EARLIER)], GO, GO),
    ([("if-unmodified-since", SAME)], GO, GO),
    ([("if-unmodified-since", LATER)], GO, GO),
    ([("if-unmodified-since", EARLIER)], FAILED, FAILED),
    # an invalid or repeated date is ignored (nginx answers 412 to an invalid If-Unmodified-Since)
    ([("if-modified-since", "Sun, 06 Nov 1994 08:49:37 +0100")], GO, GO),
    ([("if-modified-since", SAME), ("if-modified-since", SAME)], GO, GO),
    ([("if-unmodified-since", "yesterday")], GO, GO),
    # tags beat dates (nginx: 200 and 412 here)
    ([("if-none-match", '"a,b"'), ("if-modified-since", EARLIER)], SAME_YET, FAILED),
    ([("if-none-match", '"x"'), ("if-modified-since", LATER)], GO, GO),
    ([("if-match", '"a,b"'), ("if-unmodified-since", EARLIER)], GO, GO),
    # If-Match is asked before If-None-Match (s.13.2.2)
    ([("if-match", '"x"'), ("if-none-match", '"a,b"')], FAILED, FAILED),
    ([("if-match", '"a,b"'), ("if-none-match", '"a,b"')], SAME_YET, FAILED),
    ([("if-unmodified-since", LATER), ("if-modified-since", SAME)], SAME_YET, GO),
]


@pytest.mark.parametrize(("pairs", "on_get", "on_put"), ROWS)
def test_verdicts(pairs: list[tuple[str, str]], on_get: Verdict, on_put: Verdict) -> None:
    fields = Fields(tuple(pairs))
    for method, expected in (("GET", on_get), ("HEAD", on_get), ("PUT", on_put), ("DELETE", on_put)):
        assert evaluate(method, fields, CURRENT, now_s=NOW_S) is expected


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("if-match", "*"), FAILED),
        (("if-match", '"a"'), FAILED),
        (("if-none-match", "*"), GO),
        (("if-unmodified-since", EARLIER), GO),
    ],
)
def test_verdicts_where_nothing_exists(pair: tuple[str, str], expected: Verdict) -> None:
    assert evaluate("PUT", Fields((pair,)), None, now_s=NOW_S) is expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], True),
        (['"a,b"'], True),
        (['W/"a,b"'], False),
        (['"x"'], False),
        (['"a,b", "x"'], False),
        (['"a,b"', '"a,b"'], False),
        ([SAME], True),
        (["Sunday, 06-Nov-94 08:49:37 GMT"], True),
        (["Sun Nov  6 08:49:37 1994"], True),
        ([LATER], False),
        ([EARLIER], False),
        (["garbage"], False),
        ([""], False),
    ],
)
def test_if_range(lines: list[str], expected: bool) -> None:
    assert if_range_holds(Fields(tuple(("if-range", line) for line in lines)), CURRENT, now_s=NOW_S) is expected


@pytest.mark.parametrize(("age_s", "expected"), [(0, False), (1, False), (2, True)])
def test_a_date_is_a_strong_validator_only_after_its_second_is_over(age_s: int, expected: bool) -> None:
    fields = Fields((("if-range", SAME),))
    assert if_range_holds(fields, CURRENT, now_s=MODIFIED_S + age_s) is expected


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('"a"', ['"a"']),
        ('""', ['""']),
        (' , "a" ,, W/"b",', ['"a"', 'W/"b"']),
        ('"a\xff!#"', ['"a\xff!#"']),
        ('w/"a"', []),
        ('"a" b', []),
        ('"a""b"', []),
        ('"a', []),
        ('"a b"', []),
        ("*", []),
    ],
)
def test_lists_of_tags(text: str, tags: list[str]) -> None:
    assert [str(tag) for tag in parse_entity_tags(text)] == tags


def test_a_huge_list_of_tags_is_read_through() -> None:
    assert len(parse_entity_tags(", ".join(f'"{n}"' for n in range(20_000)))) == 20_000
    assert parse_entity_tags("," * 200_000) == ()
