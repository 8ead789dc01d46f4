"""What a folder says of itself: its README, as a part of the folder's page.

The text is a stranger's: HTML in it is text, links lead to files beside it or openly elsewhere, and pictures come from
this server alone. Source: CommonMark 0.31, with the tables and the struck text of GitHub Flavored Markdown.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from fileserver.web.html import Html, element, escape

SIZE: Final = 256 * 1024
"""Bytes of it that are shown; normal text of that length takes 0.7 s to render, the most contrived 3 s."""

_NAMES: Final = ("readme.md", "readme.markdown", "readme.txt", "readme")
_MARKDOWN: Final = (".md", ".markdown")
_ABROAD: Final = ("http", "https", "mailto")
_NO_SLUG: Final = re.compile(r"[^\w\- ]")
_ALIGNMENT: Final = re.compile(r"text-align:(left|center|right)")


@dataclass(frozen=True, slots=True)
class Readme:
    """The text of a README, its name, and whether it is all of it.

    `href` is where it can be seen alone, `folder_href` the address of its folder and `files_href` that of all files.
    """

    name: str
    text: str
    is_whole: bool
    href: str
    folder_href: str
    files_href: str


def readme_name(names: Iterable[str]) -> str | None:
    """Which of the files of a folder is its README.

    >>> readme_name(["a.txt", "readme.txt", "ReadMe.md"])
    'ReadMe.md'
    """
    found = {name.lower(): name for name in sorted(names, reverse=True) if name.lower() in _NAMES}
    return next((found[name] for name in _NAMES if name in found), None)


def readme_article(readme: Readme) -> Html:
    """The README as an element."""
    is_markdown = readme.name.lower().endswith(_MARKDOWN)
    content = _rendered(readme) if is_markdown else element("pre", Html(_escaped(readme.text)))
    return _article(readme, content)


def plain_article(readme: Readme) -> Html:
    """The README as it was written."""
    return _article(readme, element("pre", Html(_escaped(readme.text))))


def _article(readme: Readme, content: Html) -> Html:
    name = element("a", element("bdi", readme.name), href=readme.href)
    rest = element("p", element("a", "The rest of it", href=readme.href), class_="readme-rest")
    return element(
        "article",
        element("header", name, class_="readme-name"),
        element("div", content, class_="readme-text", dir="auto"),
        Html() if readme.is_whole else rest,
        class_="readme",
        aria_label=readme.name,
    )


def _escaped(text: str) -> str:
    """Lines stay lines, which a name's do not."""
    return "\n".join(escape(line.replace("\t", "    ")) for line in text.splitlines())


def _rendered(readme: Readme) -> Html:
    markdown = _markdown()
    tokens = markdown.parse(readme.text)
    slugs: dict[str, int] = {}
    for index, token in enumerate(tokens):
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"  # the page's own heading stands above
        if token.type == "heading_open":
            token.attrSet("id", _slug(tokens[index + 1].content, slugs))
        if alignment := _ALIGNMENT.fullmatch(str(token.attrs.pop("style", ""))):
            token.attrSet("class", f"readme-{alignment[1]}")  # the page's policy allows no styles in it
        if token.children:
            token.children = list(_inline(readme, token.children))
    return Html(markdown.renderer.render(tokens, markdown.options, {}))


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def _slug(title: str, taken: dict[str, int]) -> str:
    """The name of a heading's place, as GitHub makes it; ours alone in the page."""
    slug = _NO_SLUG.sub("", title.lower()).strip().replace(" ", "-")
    count = taken[slug] = taken.get(slug, -1) + 1
    return f"readme-{slug}-{count}" if count else f"readme-{slug}"


def _inline(readme: Readme, tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0  # in links
    for token in tokens:
        depth += token.nesting if token.tag == "a" else 0
        if token.type == "link_open":
            token.attrs = dict(_link(readme, str(token.attrs.get("href", ""))) | _titled(token))
        if token.type == "image":
            yield from _picture(readme, token, is_in_link=depth > 0)
        else:
            yield token


def _titled(token: Token) -> dict[str, str | int | float]:
    return {"title": title} if (title := token.attrs.get("title")) else {}


def _picture(readme: Readme, token: Token, *, is_in_link: bool) -> Iterator[Token]:
    """A picture of this server; a link to one from elsewhere, which would tell its server who looks."""
    target = str(token.attrs.get("src", ""))
    place = _place(readme, target)
    text = Token("text", "", 0, content=token.content or target)
    if place is not None:
        token.attrs = {"src": place, "alt": "", "loading": "lazy", **_titled(token)}
        yield token
    elif is_in_link:
        yield text
    else:
        yield from (Token("link_open", "a", 1, attrs=dict(_link(readme, target))), text, Token("link_close", "a", -1))


def _link(readme: Readme, target: str) -> dict[str, str | int | float]:
    """The attributes of a link; none where it leads nowhere that we know."""
    if target.startswith("#"):
        return {"href": f"#readme-{target[1:]}"}
    if _is_abroad(target):
        return {"href": target, "rel": "nofollow noopener noreferrer"}
    place = _place(readme, target)
    if place is None:
        return {}
    folder, slash, name = place.rpartition("/")
    return {"href": f"{folder}{slash}?view={quote(unquote_to_bytes(name), safe='')}" if name else place}


def _is_abroad(target: str) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return parts.scheme.lower() in _ABROAD or bool(not parts.scheme and parts.netloc)


def _place(readme: Readme, target: str) -> str | None:
    """The address of a file or folder that is meant; one that begins with `/` is below all files."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or not parts.path:
        return None
    base = readme.files_href if parts.path.startswith("/") else readme.folder_href
    place = urljoin(base, parts.path.lstrip("/"))
    return place if place.startswith(readme.files_href) else None
