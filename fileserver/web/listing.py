"""A folder as a page: what is in it, a way up and on, and a form to add files. No script anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fileserver.web.html import Html, element, joined, opening
from fileserver.web.icons import ICONS, icon, icon_of
from fileserver.web.page import page, page_headers

__all__ = ["Crumb", "ListingPage", "Row", "listing_page", "page_headers", "problem_page"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclass(frozen=True, slots=True)
class Crumb:
    """A folder on the way from the root to the one shown, which is the last."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class Row:
    """A file or folder: its size in bytes, its time in seconds since 1970 (UTC), either None where it is not known."""

    name: str
    href: str
    download_href: str | None
    is_folder: bool
    size: int | None
    modified_s: int | None
    media_type: str | None


@dataclass(frozen=True, slots=True)
class ListingPage:
    """All that the page of a folder shows. Addresses are made by the caller and used as they are."""

    title: str
    crumbs: tuple[Crumb, ...]
    rows: tuple[Row, ...]
    next_href: str | None
    may_write: bool
    action_href: str


def listing_page(listing: ListingPage) -> str:
    """The page of a folder."""
    return page(
        listing.title,
        ICONS,
        _heading(listing),
        _form(listing.action_href) if listing.may_write else Html(),
        _table(listing.rows) if listing.rows else element("p", "Nothing is here yet.", class_="empty"),
        _next(listing.next_href),
        head=opening("link", rel="next", href=listing.next_href) if listing.next_href else None,
    )


def problem_page(status: int, title: str, detail: str, home_href: str) -> str:
    """An error as a person reads it, with a way back to the start."""
    return page(
        title,
        element("p", str(status), class_="status"),
        element("h1", title),
        element("p", detail, class_="detail"),
        element("p", element("a", "Back to the files", href=home_href, class_="button")),
    )


def human_size(size: int) -> str:
    """A size in bytes as people say it, in powers of 1024.

    >>> human_size(1), human_size(1023), human_size(1536), human_size(1024**2 - 1), human_size(25_400_000)
    ('1 byte', '1023 bytes', '1.5 KiB', '1.0 MiB', '24 MiB')
    """
    if size < 1024:
        return "1 byte" if size == 1 else f"{size} bytes"
    amount, unit = size / 1024, 0
    while amount >= 1023.5 and unit < len(_UNITS) - 1:  # what would be shown as 1024
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if amount < 9.95 else f"{amount:.0f} {_UNITS[unit]}"


def _heading(listing: ListingPage) -> Html:
    above = [element("li", element("a", _name(crumb.name), href=crumb.href)) for crumb in listing.crumbs[:-1]]
    way = element("nav", element("ol", *above), aria_label="Folders above") if above else Html()
    return element("header", way, element("h1", _name(listing.title)))


def _form(action_href: str) -> Html:
    """The form for new files: what is to be known of them has to stand before them in the body."""
    replace = opening("input", type="checkbox", name="replace", value="true")
    file = opening("input", type="file", name="file", multiple=True, required=True, aria_label="Files to add")
    return element(
        "form",
        element("label", replace, " Replace files of the same name"),
        file,
        element("button", "Upload", type="submit"),
        method="post",
        enctype="multipart/form-data",
        action=action_href,
    )


def _table(rows: tuple[Row, ...]) -> Html:
    names = (("Name", "name"), ("Size", "size"), ("Modified (UTC)", "modified"))
    head = [element("th", name, scope="col", class_=class_) for name, class_ in names]
    download = element("th", element("span", "Download", class_="unseen"), scope="col", class_="download")
    return element(
        "table",
        element("caption", "Folders and files", class_="unseen"),
        element("thead", element("tr", *head, download)),
        element("tbody", *_lines(rows)),
    )


def _lines(rows: tuple[Row, ...]) -> Iterator[Html]:
    for row in rows:
        yield joined(
            element(
                "tr",
                element("th", _link(row), scope="row", class_="name"),
                element("td", _size(row.size), class_="size"),
                element("td", _time(row.modified_s), class_="modified"),
                element("td", _download(row), class_="download"),
            ),
            Html("\n"),
        )


def _link(row: Row) -> Html:
    sign = icon(icon_of(row.media_type, is_folder=row.is_folder))
    slash = element("span", "/", class_="slash") if row.is_folder else Html()
    return element("a", sign, element("span", _name(row.name), slash), href=row.href, title=row.media_type)


def _name(name: str) -> Html:
    """A name that keeps its direction of writing to itself."""
    return element("bdi", name)


def _size(size: int | None) -> Html:
    return Html() if size is None else element("span", human_size(size), title=f"{size:,} bytes")


def _time(modified_s: int | None) -> Html:
    """A time to the minute; nothing for one that is not known or that no calendar has."""
    if modified_s is None:
        return Html()
    try:
        modified = _EPOCH + timedelta(seconds=modified_s)
    except OverflowError:
        return Html()
    exact = modified.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")
    return element("time", f"{exact[:10]} {exact[11:16]}", datetime=exact, title=f"{exact[:10]} {exact[11:19]} UTC")


def _download(row: Row) -> Html:
    if row.download_href is None:
        return Html()
    return element("a", icon("download"), href=row.download_href, aria_label=f"Download {row.name}")


def _next(next_href: str | None) -> Html:
    if next_href is None:
        return Html()
    return element("nav", element("a", "Next page", href=next_href, rel="next", class_="button"), aria_label="Pages")
