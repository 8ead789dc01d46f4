"""Errors as documents (RFC 9457)."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fileserver.http import problems
from fileserver.http.problems import IANA, REGISTRY, Problem, ProblemError, ProblemType


@pytest.mark.parametrize("kind", REGISTRY.values(), ids=REGISTRY)
def test_every_type_is_an_error_with_a_slug_and_a_title(kind: ProblemType) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug.removeprefix(IANA))
    assert 400 <= kind.status <= 599
    assert kind.title


def test_no_two_types_share_a_slug() -> None:
    assert len(REGISTRY) == sum(isinstance(each, ProblemType) for each in vars(problems).values())


def test_the_members_of_a_document() -> None:
    problem = Problem(problems.NOT_FOUND, "No such file.", {"key": "a"}, instance="/files/a")
    assert json.loads(problem.body()) == {
        "type": "urn:problem-type:fileserver:not-found",
        "title": problems.NOT_FOUND.title,
        "status": 404,
        "detail": "No such file.",
        "instance": "/files/a",
        "key": "a",
    }


def test_there_is_no_instance_unless_one_is_given() -> None:
    assert "instance" not in json.loads(Problem(problems.NOT_FOUND, "").body())


def test_an_extension_does_not_stand_for_a_member_of_the_standard() -> None:
    document = json.loads(Problem(problems.NOT_FOUND, "here", {"status": 200, "detail": "there"}).body())
    assert (document["status"], document["detail"]) == (404, "here")


def test_the_fields_of_a_document() -> None:
    problem = Problem(problems.NOT_FOUND, "żółw")
    assert dict(problem.headers()) == {
        "content-type": "application/problem+json",
        "content-length": str(len(problem.body())),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_any_text_survives(detail: str, name: str) -> None:
    body = Problem(problems.INVALID_KEY, detail, {"key": name}).body()
    assert body.isascii()
    assert b"\n" not in body
    assert [json.loads(body)[member] for member in ("detail", "key")] == [_paired(detail), _paired(name)]


def _paired(text: str) -> str:
    """JSON knows UTF-16: a high and a low surrogate in a row are one character there."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def test_an_error_carries_its_problem_and_further_fields() -> None:
    problem = Problem(problems.METHOD_NOT_ALLOWED, "")
    with pytest.raises(ProblemError, match="method-not-allowed") as caught:
        raise ProblemError(problem, [("allow", "GET")])
    assert (caught.value.problem, caught.value.headers) == (problem, (("allow", "GET"),))
