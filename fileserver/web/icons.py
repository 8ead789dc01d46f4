"""Signs for files and for what can be done with them, drawn once in a page and used by reference.

A page begins with those of a first view; the others come after it, as one document.

The drawings are Lucide's, those in `static/vendor/lucide/`.
"""

import re
from functools import cache
from pathlib import Path

from fileserver.web.html import Html, element

_FOLDER = Path(__file__).parent / "static" / "vendor" / "lucide"
_AROUND = re.compile(r"<!--.*?-->\s*|<svg[^>]*>\s*|\s*</svg>\s*", re.DOTALL)
_SPACE = re.compile(r"\s*\n\s*")
_TABLES = ("text/csv", "text/tab-separated-values", "application/vnd.apache.parquet")
_ARCHIVES = (
    "application/zip",
    "application/gzip",
    "application/x-tar",
    "application/x-xz",
    "application/x-7z-compressed",
)
_TEXTS = ("application/json", "application/x-ndjson", "application/yaml", "application/toml", "application/pdf")
_FAMILIES = {"image": "image", "audio": "music", "video": "film", "text": "file-text"}
_FIRST = (
    *("folder", "folder-open", "file", "file-archive", "table", "file-text", "image", "music", "film"),
    *("search", "x", "plus", "ellipsis", "list", "layout-grid", "chevron-left", "chevron-up", "chevron-down"),
    *("download", "circle-alert"),
)
"""What a listing shows before anything is done with it: the others come after it (`app/core/rooms.js`)."""


def sprite() -> str:
    """The drawings that are not in the pages, as a document of their own."""
    names = sorted(path.stem for path in _FOLDER.glob("*.svg") if path.stem not in _FIRST)
    return element("svg", *map(_symbol, names), xmlns="http://www.w3.org/2000/svg")


def _symbol(name: str) -> Html:
    drawing = _AROUND.sub("", (_FOLDER / f"{name}.svg").read_text("utf-8"))
    return element("symbol", Html(_SPACE.sub(" ", drawing)), id=f"icon-{name}", viewBox="0 0 24 24")


ICONS = element("svg", *map(_symbol, _FIRST), id="icons", class_="unseen", aria_hidden="true")
"""The drawings of a first view, to stand once in a page that uses `icon`."""


@cache
def icon(name: str) -> Html:
    """One of the drawings; it says nothing to those who cannot see it."""
    return element("svg", element("use", href=f"#icon-{name}"), aria_hidden="true", class_="icon")


def icon_of(media_type: str | None, *, is_folder: bool) -> str:
    """Which drawing stands for a file of this type: the same as `iconOf` of `core/kinds.js`.

    >>> icon_of("video/mp4", is_folder=False), icon_of(None, is_folder=True), icon_of("font/otf", is_folder=False)
    ('film', 'folder', 'file')
    """
    if is_folder:
        return "folder"
    base = (media_type or "").partition(";")[0]
    if base in _TABLES:
        return "table"
    if base in _ARCHIVES:
        return "file-archive"
    return "file-text" if base in _TEXTS else _FAMILIES.get(base.partition("/")[0], "file")
