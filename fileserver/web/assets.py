"""What the pages are made of beside their text: scripts, styles, pictures, under addresses that change.

All of them share one prefix, a digest of them all: modules find each other by relative addresses, a page never mixes
two versions, and browsers may keep each of them for ever (RFC 8246, `immutable`).
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from fileserver.web.icons import sprite

STATIC = Path(__file__).parent / "static"
MAIN = "app/main.js"
"""The module that a page begins with."""
STYLESHEET = "page.css"
"""Those of `styles/` that a first view needs, one after another: a page asks for one style sheet."""
LATER_STYLESHEET = "rooms.css"
"""All others of `styles/`; `app/core/rooms.js` asks for them."""
DRAWINGS = "icons.svg"
"""The drawings that no page has in it; `app/core/rooms.js` asks for them."""

_FIRST_STYLES = ("tokens.css", "base.css", "parts.css", "browse.css", "readme.css")  # each builds upon those before it
_OURS = ("app/", "strings/", "styles/")
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_TEXTS = ("text/", "image/svg+xml", "application/manifest+json")
_COMMENT = re.compile(rb"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*$", re.MULTILINE | re.DOTALL)
"""A comment that has its lines to itself: with them a first load is a fifth larger (53 kB of modules instead of 43)."""
_STATIC_IMPORT = re.compile(r"""(?:^|;)(?:import|export)\b(?!\()[^;]*?["'](\.[^"']+)["']""", re.MULTILINE)


@dataclass(frozen=True)
class Asset:
    """A file as it is sent: its bytes and its type."""

    content: bytes
    media_type: str

    @cached_property
    def compressed(self) -> bytes | None:
        """The bytes by gzip (RFC 1952), where that is of use; made when first asked for."""
        if not self.media_type.startswith(_TEXTS):
            return None
        made = gzip.compress(self.content, mtime=0)
        return made if len(made) < len(self.content) else None


@dataclass(frozen=True)
class Assets:
    """All assets by their path; `digest` is of all of them."""

    by_path: Mapping[str, Asset]
    digest: str

    @cached_property
    def first_modules(self) -> tuple[str, ...]:
        """The paths of the modules that `MAIN` imports, and these in turn, in the order they are met."""
        found: dict[str, None] = {MAIN: None}
        for path in _growing(found):
            imported = (_beside(path, each) for each in _STATIC_IMPORT.findall(self.by_path[path].content.decode()))
            found |= dict.fromkeys(each for each in imported if each in self.by_path)
        return tuple(found)


@cache
def assets() -> Assets:
    """What stands in `static/`, read when first asked for."""
    paths = sorted(path for path in STATIC.rglob("*") if path.is_file() and not path.name.endswith((".d.ts", ".d.mts")))
    by_path = {name: _asset(path, name) for path in paths for name in (str(path.relative_to(STATIC)),)}
    styles = {name: by_path[name].content for name in by_path if name.startswith("styles/")}
    first = tuple(f"styles/{name}" for name in _FIRST_STYLES)
    by_path[STYLESHEET] = Asset(b"\n".join(styles.pop(name) for name in first), _typed("text/css"))
    by_path[LATER_STYLESHEET] = Asset(b"\n".join(styles.values()), _typed("text/css"))
    by_path[DRAWINGS] = Asset(sprite().encode(), _TYPES[".svg"])
    total = hashlib.sha256()
    for path, asset in by_path.items():
        total.update(f"{path}\0{len(asset.content)}\0".encode() + asset.content)
    return Assets(by_path, total.hexdigest()[:16])


def asset_prefix(base: str) -> str:
    """The address below which the assets are, with its slash; `base` is where the application is, with its slash."""
    return f"{base}assets/{assets().digest}/"


def _asset(path: Path, name: str) -> Asset:
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "text/plain"
    content = path.read_bytes()
    return Asset(without_comments(content) if name.startswith(_OURS) else content, _typed(media_type))


def without_comments(text: bytes) -> bytes:
    """A module or style sheet of ours as it travels: lines that are comments are empty, so that each keeps its number.

    >>> without_comments(b"/** Adds. */\\nadd(a, b); // at once\\n")
    b'\\nadd(a, b); // at once\\n'
    >>> without_comments(b"/** @type {Sum} */ (add(a, b));\\n/** Ends. */\\n")
    b'/** @type {Sum} */ (add(a, b));\\n\\n'
    """
    return _COMMENT.sub(lambda comment: b"\n" * comment[0].count(b"\n"), text)


def _typed(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def _growing(found: dict[str, None]) -> Iterator[str]:
    """The paths that are there, and those that are added meanwhile."""
    index = 0
    while index < len(found):
        yield list(found)[index]
        index += 1


def _beside(path: str, relative: str) -> str:
    """The path that a module's relative address means.

    >>> _beside("app/browse/list.js", "../core/say.js")
    'app/core/say.js'
    """
    parts = path.split("/")[:-1]
    for part in relative.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
