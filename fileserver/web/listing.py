"""A folder as a page: the way to it, what is in it, a search below it, and a form to add files where no script runs.

Rows have the markup and classes that `static/app/browse/row.js` gives them, so that nothing moves when it takes over.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby

from fileserver.web.html import Html, element, joined, opening
from fileserver.web.icons import icon, icon_of
from fileserver.web.page import data_block, page, page_headers, scripts

__all__ = ["Crumb", "ListingPage", "Row", "listing_page", "page_headers"]

_SEEN = 40
"""Rows that a window shows at first: scripts draw the others, and are spared the reading of a megabyte of markup."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ("KB", "MB", "GB", "TB", "PB")
_DIGITS = "0123456789"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Crumb:
    """A folder on the way from the root to the one shown, which is the last."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """A file or folder: its size in bytes, its time in seconds since 1970 (UTC), either None where it is not known.

    `href` is where a person sees it, `place` the folder that it was found in, below the one shown.
    """

    name: str
    href: str
    download_href: str | None
    is_folder: bool
    size: int | None
    modified_s: int | None
    media_type: str | None
    place: str = ""


@dataclass(frozen=True, slots=True)
class ListingPage:
    """All that the page of a folder shows. Addresses are made by the caller and used as they are.

    `search` is what was searched for, `view` a file of the folder as it is shown without scripts, `readme` what the
    folder says of itself. `first_view` is what the page's scripts begin with (`FirstView` of `core/types.d.ts`).
    """

    title: str
    crumbs: tuple[Crumb, ...]
    rows: tuple[Row, ...]
    next_href: str | None
    may_write: bool
    action_href: str
    base: str = "/"
    has_media: bool = False
    search: str | None = None
    view: Html | None = None
    readme: Html | None = None
    head: Html | None = None
    first_view: Mapping[str, object] = field(default_factory=dict)


def listing_page(listing: ListingPage) -> str:
    """The page of a folder."""
    flags = (("may-write", listing.may_write), ("has-media", listing.has_media))
    return page(
        listing.title,
        element("a", "Skip to the files", href="#entries", class_="skip"),
        _bar(listing),
        element("div", listing.view, id="view") if listing.view else Html(),
        element("main", *_main(listing), class_="browse browse-elsewhere" if listing.search else "browse", id="browse"),
        data_block("first-view", listing.first_view),
        base=listing.base,
        head=joined(_next_link(listing.next_href), scripts(listing.base), listing.head or ""),
        flags=tuple(flag for flag, is_so in flags if is_so),
    )


def human_size(size: int) -> str:
    """A size in bytes as people say it, in powers of 1000: the same words as `size` of `core/say.js`.

    >>> human_size(1), human_size(999), human_size(1500), human_size(999_499_999), human_size(25_400_000)
    ('1 byte', '999 bytes', '1.5 KB', '999 MB', '25 MB')
    """
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    amount, unit = size / 1000, 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:  # what would be shown as 1000
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if amount < 9.95 else f"{amount:.0f} {_UNITS[unit]}"


def _bar(listing: ListingPage) -> Html:
    return element(
        "header",
        element("div", _crumbs(listing), _search(listing), Html(), class_="browse-bar-line", id="browse-bar"),
        class_="browse-bar",
    )


def _crumbs(listing: ListingPage) -> Html:
    above = [element("li", element("a", _name(crumb.name), href=crumb.href)) for crumb in listing.crumbs[:-1]]
    here = element("li", element("h1", _name(listing.title)), aria_current="page")
    return element("nav", element("ol", *above, here), class_="browse-crumbs", aria_label="Folders")


def _search(listing: ListingPage) -> Html:
    words = opening(
        "input",
        type="search",
        name="search",
        value=listing.search,
        placeholder="Search",
        aria_label="Search in this folder",
        class_="input",
        autocomplete="off",
    )
    return element(
        "form", icon("search"), words, role="search", method="get", action=listing.action_href, class_="browse-search"
    )


def _main(listing: ListingPage) -> Iterable[Html]:
    if listing.may_write:
        yield element("noscript", _form(listing.action_href))
    rows = _as_people_sort(listing.rows) if listing.next_href is None else listing.rows
    if rows:
        yield _table(rows)
    else:
        yield _empty("search", "Nothing found") if listing.search else _empty("folder-open", "This folder is empty")
    if listing.next_href:
        link = element("a", "Next page", href=listing.next_href, rel="next", class_="button")
        yield element("nav", link, aria_label="Pages", class_="browse-pages")
    yield listing.readme or Html()


def _empty(sign: str, words: str) -> Html:
    return element("div", icon(sign), element("h2", words), class_="empty", id="entries")


def _form(action_href: str) -> Html:
    """The form for new files: what is to be known of them has to stand before them in the body."""
    replace = opening("input", type="checkbox", name="replace", value="true")
    file = opening("input", type="file", name="file", multiple=True, required=True, aria_label="Files to add")
    return element(
        "form",
        element("label", replace, " Replace files of the same name", class_="check"),
        file,
        element("button", "Upload", type="submit", class_="button main"),
        method="post",
        enctype="multipart/form-data",
        action=action_href,
        class_="browse-form",
    )


def _table(rows: Iterable[Row]) -> Html:
    lines = [_line(row) for row in rows]
    rest = element("noscript", *lines[_SEEN:]) if lines[_SEEN:] else Html()
    names = (("Name", "browse-name"), ("Size", "browse-size"), ("Modified", "browse-when"))
    heads = (element("span", name, role="columnheader", class_=class_) for name, class_ in names)
    row = partial(element, "div", role="row")
    return element(
        "div",
        row(_cell("browse-check"), *heads, _cell("browse-more"), class_="browse-heads"),
        element("div", *lines[:_SEEN], rest, role="rowgroup", class_="browse-rows"),
        role="table",
        aria_label="Files and folders",
        class_="browse-entries",
        id="entries",
    )


def _line(row: Row) -> Html:
    line = element(
        "div",
        _cell("browse-check"),
        _cell("browse-name", _link(row)),
        _cell("browse-size", _size(row.size)),
        _cell("browse-when", _time(row.modified_s)),
        _cell("browse-more", _download(row)),
        role="row",
        class_="browse-row",
    )
    return joined(line, Html("\n"))


def _cell(class_: str, *children: Html) -> Html:
    return element("span", *children, role="cell", class_=class_)


def _link(row: Row) -> Html:
    name = icon_of(row.media_type, is_folder=row.is_folder)
    sign = element("span", icon(name), class_=f"browse-sign {name}")
    place = element("small", _name(row.place)) if row.place else Html()
    about = element("small", _about(row), class_="browse-about")
    return element("a", sign, element("span", _name(row.name), place, about, class_="browse-label"), href=row.href)


def _about(row: Row) -> str:
    """What phones show below a name, where there are no columns."""
    said = () if row.size is None else (human_size(row.size), _said(row.modified_s))
    return " · ".join(filter(None, said))


def _name(name: str) -> Html:
    """A name that keeps its direction of writing to itself."""
    return element("bdi", name)


def _size(size: int | None) -> Html:
    return Html() if size is None else element("span", human_size(size), title=f"{size:,} bytes")


def _time(modified_s: int | None) -> Html:
    modified = _moment(modified_s)
    if modified is None:
        return Html()
    exact = modified.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    return element("time", _said(modified_s), datetime=exact, title=f"{exact[:10]} {exact[11:19]} UTC")


def _said(modified_s: int | None) -> str:
    """A time as `when` of `core/say.js` has it, in UTC; nothing for one that is not known or that no calendar has."""
    modified = _moment(modified_s)
    if modified is None:
        return ""
    is_recent = modified.year == datetime.now(UTC).year
    day = f"{_MONTHS[modified.month - 1]} {modified.day}"
    return f"{day}, {modified:%H:%M}" if is_recent else f"{day}, {modified.year}"


def _moment(modified_s: int | None) -> datetime | None:
    try:
        return None if modified_s is None else _EPOCH + timedelta(seconds=modified_s)
    except OverflowError:
        return None


def _download(row: Row) -> Html:
    if row.download_href is None:
        return Html()
    label = f"Download {row.name}"
    return element("a", icon("download"), href=row.download_href, aria_label=label, class_="icon-button")


def _next_link(next_href: str | None) -> Html:
    return opening("link", rel="next", href=next_href) if next_href else Html()


def _as_people_sort(rows: Iterable[Row]) -> list[Row]:
    """Folders first, numbers by their value: nearly as browsers sort, who know each language's letters."""
    return sorted(rows, key=lambda row: (not row.is_folder, natural(row.name)))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """What a name is sorted by.

    >>> sorted(("photo10", "Photo2", "été", "etage", "2.txt"), key=natural)
    ['2.txt', 'etage', 'été', 'Photo2', 'photo10']
    """
    letters = (letter for letter in unicodedata.normalize("NFD", name.casefold()) if not unicodedata.combining(letter))
    parts = ((is_number, "".join(part)) for is_number, part in groupby(letters, _DIGITS.__contains__))
    return tuple((0, int(part), part) if is_number else (1, 0, part) for is_number, part in parts)
