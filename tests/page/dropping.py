"""Files of this machine dropped into a page, as the system does it."""

from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import CDPSession, Locator, Page

from tests.support.server import wait_until


class Drag:
    """Files that hang at the mouse over a page."""

    def __init__(self, page: Page, paths: Iterable[Path]) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        self._at = (180.0, 8.0)  # where no row is
        self._tell("dragEnter")
        self._tell("dragOver")

    def over(self, target: Locator) -> "Drag":
        """Move them over the target."""
        box = target.bounding_box()
        assert box is not None
        self._at = (box["x"] + min(box["width"] / 2, 60), box["y"] + box["height"] / 2)
        self._tell("dragOver")
        return self

    def until_seen(self, text: str) -> "Drag":
        """Hold them still, of which browsers tell again and again, until the page says so."""

        def look() -> bool:
            self._tell("dragOver")
            return self._page.get_by_text(text).is_visible()

        wait_until(look)
        return self

    def drop(self) -> None:
        """Let them go."""
        self._tell("drop")

    def leave(self) -> None:
        """Leave the window with them."""
        self._tell("dragCancel")

    def _tell(self, kind: str) -> None:
        x, y = self._at
        self._session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": self._data})


def drop(page: Page, *paths: Path) -> None:
    """Drop them on the page, beside all rows."""
    Drag(page, paths).drop()
