"""docs/problems.md is the registry, told to people."""

from pathlib import Path

from fileserver.http.problems import REGISTRY

DOCUMENT = Path(__file__).parents[2] / "docs" / "problems.md"


def test_every_problem_type_is_documented_with_its_status_and_title() -> None:
    rows = [line.split(" | ") for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")]
    documented = [(row[0].strip("| `"), int(row[1]), row[2]) for row in rows]
    assert documented == sorted((kind.slug, kind.status, kind.title) for kind in REGISTRY.values())
