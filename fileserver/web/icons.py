"""Signs for the kinds of files, drawn once in a page and used by reference."""

from functools import cache

from fileserver.web.html import Html, element

_PATHS = {
    "folder": "M3 6.5A1.5 1.5 0 0 1 4.5 5h4.3l2.2 2.5h8.5A1.5 1.5 0 0 1 21 9v8.5a1.5 1.5 0 0 1-1.5 1.5h-15"
    "A1.5 1.5 0 0 1 3 17.5z",
    "file": "M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5",
    "text": "M6 3.5h8l4.5 4.5v12.5H6zM14 3.5V8h4.5M9 12h6.5M9 15.5h6.5",
    "image": "M4 5h16v14H4zM4 16l4.5-4.5 4 4 2.5-2.5 5 4.5M15.5 9.5h.01",
    "audio": "M9 17.5V6l10-2v11.5M9 17.5a2.5 2 0 1 1-5 0 2.5 2 0 0 1 5 0zM19 15.5a2.5 2 0 1 1-5 0 2.5 2 0 0 1 5 0z",
    "video": "M4 5h16v14H4zM10 9v6l5-3z",
    "archive": "M4 4.5h16v4H4zM5.5 8.5v11h13v-11M10 12h4",
    "download": "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14",
}
_ARCHIVES = (
    "application/zip",
    "application/gzip",
    "application/x-tar",
    "application/x-xz",
    "application/x-7z-compressed",
)
_TEXTS = ("application/json", "application/x-ndjson", "application/pdf", "application/yaml", "application/toml")

ICONS = element(
    "svg",
    *(
        element("symbol", element("path", d=path), id=f"icon-{name}", viewBox="0 0 24 24")
        for name, path in _PATHS.items()
    ),
    class_="unseen",
    aria_hidden="true",
)
"""The drawings, to stand once in a page that uses `icon`."""


@cache
def icon(name: str) -> Html:
    """One of the drawings; it says nothing to those who cannot see it."""
    return element("svg", element("use", href=f"#icon-{name}"), aria_hidden="true", class_=f"icon {name}")


def icon_of(media_type: str | None, *, is_folder: bool) -> str:
    """Which drawing stands for a file of this type.

    >>> icon_of("video/mp4", is_folder=False), icon_of(None, is_folder=True), icon_of("font/otf", is_folder=False)
    ('video', 'folder', 'file')
    """
    if is_folder:
        return "folder"
    base = (media_type or "").partition(";")[0]
    if base in _ARCHIVES:
        return "archive"
    kind = "text" if base in _TEXTS else base.partition("/")[0]
    return kind if kind in _PATHS else "file"
