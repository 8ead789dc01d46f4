"""Every main view keeps the rules of WCAG 2.2 AA that a machine can check (axe-core), on a desk and in a hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.page.conftest import DESK, HAND, Site, Visit
from tests.page.views import VIEWS, View
from tests.support.server import running_server
from tests.support.showcase import make_showcase

_AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_CHECK = """
async (rules) => (await axe.run(document, {runOnly: rules, resultTypes: ["violations"]})).violations
  .map((found) => [found.id, found.help, found.nodes.map((node) => node.html + " " + node.failureSummary).slice(0, 3)])
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server over the folder that the views are of."""
    with running_server(make_showcase(tmp_path_factory.mktemp("showcase"), rows=2000)) as server:
        yield server


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@pytest.mark.parametrize(("device", "scheme"), [(DESK, "light"), (HAND, "dark")], ids=["desk-light", "hand-dark"])
def test_axe_finds_nothing(shown: Site, visit: Visit, view: View, device: dict[str, Any], scheme: str) -> None:
    # axe itself comes past the page's policy: it is the tester's, not the page's
    page = visit(device, color_scheme=scheme, bypass_csp=True)
    page.goto(f"{shown.url}/files/{view.path}")
    view.show(page)
    page.wait_for_timeout(300)  # what moves in has come to rest: half-faded text has half the contrast
    assert _found(page) == []


def _found(page: Page) -> list[Any]:
    page.add_script_tag(content=_AXE.read_text("utf-8"))
    found: list[Any] = page.evaluate(_CHECK, _RULES)
    return found
