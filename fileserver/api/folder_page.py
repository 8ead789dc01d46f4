"""The page of a folder, as `/files/[folder/]` answers browsers: what is in it, what it says of itself, a file of it."""

from collections.abc import Iterable, Iterator
from functools import partial
from urllib.parse import quote

from fastapi import Request

from fileserver.api.requests import file_href, root_href
from fileserver.api.service import service_of
from fileserver.delivery.beginning import Beginning, beginning_of
from fileserver.delivery.listing import Asked, row_of
from fileserver.media.detection.likely import likely_type
from fileserver.web import head, readme, view
from fileserver.web.html import Html
from fileserver.web.listing import Crumb, ListingPage, Row, listing_page
from storage import Entry, Folder, InvalidKey, Key, Listed, key_to_read, name_of

_USUAL_READMES = ("README.md", "readme.md", "README.txt", "README")
"""Looked for where a folder is larger than its page."""


async def folder_page(
    request: Request,
    asked: Asked,
    listed: Iterable[Listed],
    *,
    next_href: str | None,
    search: str | None,
    shown_name: str | None,
) -> str:
    """The page of what is listed; with the file of this name shown, where there is one."""
    service = service_of(request)
    rows = tuple(listed)
    shown = await _beginning(request, asked.folder, shown_name, view.TEXT_SIZE) if shown_name else None
    title = name_of(asked.folder) or "Files"
    about = head.of_folder(title, len(rows), is_all=next_href is None)
    return listing_page(
        ListingPage(
            title=title,
            crumbs=tuple(_crumbs(request, asked.folder)),
            rows=tuple(_row(request, asked.folder, each) for each in rows),
            next_href=next_href,
            may_write=service.settings.may_write,
            action_href=file_href(request, asked.folder),
            base=root_href(request),
            has_media=service.derivatives.missing is None,
            search=search,
            view=_view(request, asked.folder, shown) if shown else None,
            readme=await _readme(request, asked, rows, is_all=next_href is None),
            head=head.head(_about(request, shown.entry) if shown else about, root_href(request)),
            first_view={
                "folder": asked.folder,
                "entries": [row_of(each, partial(file_href, request)) for each in rows],
                "next": next_href,
                "view": row_of(shown.entry, partial(file_href, request)) if shown else None,
                "search": search,
            },
        )
    )


def view_href(request: Request, key: Key) -> str:
    """Where a person sees a file: the page of its folder, with the file shown."""
    folder, name = _parts(key)
    return f"{file_href(request, folder)}?view={quote(name.encode('utf-8', 'surrogateescape'), safe='')}"


async def _beginning(request: Request, folder: Folder, name: str, size: int) -> Beginning | None:
    try:
        key = key_to_read(folder + name)
    except InvalidKey:
        return None
    return await beginning_of(service_of(request).library, key, size)


def _view(request: Request, folder: Folder, shown: Beginning) -> Html:
    entry, href = shown.entry, file_href(request, shown.entry.key)
    row = row_of(entry, partial(file_href, request))
    has_media = service_of(request).derivatives.missing is None
    return view.view(
        view.Shown(
            name=name_of(entry.key),
            media_type=entry.media_type,
            size=entry.size,
            modified=str(row["modified"]),
            href=href,
            download_href=f"{href}?download",
            folder_href=file_href(request, folder),
            preview_href=_media_href(request, entry.key, "preview") if has_media else None,
            text=shown.content if view.is_text(entry.media_type) else None,
            is_whole=shown.is_whole,
        )
    )


def _about(request: Request, entry: Entry) -> head.Subject:
    """What previews of a link to the file show: a picture of it where one can be made."""
    kind = (entry.media_type or "").partition("/")[0]
    has_picture = kind in {"image", "video"} and service_of(request).derivatives.missing is None
    href = _media_href(request, entry.key, "poster" if kind == "video" else "thumbnail")
    picture_url = f"{request.url.scheme}://{request.url.netloc}{href}" if has_picture else None
    return head.of_file(name_of(entry.key), entry.size, picture_url)


async def _readme(request: Request, asked: Asked, rows: Iterable[Listed], *, is_all: bool) -> Html | None:
    """What the folder says of itself, on the first of its pages alone."""
    if asked.after or asked.words is not None or asked.is_recursive:
        return None
    name = readme.readme_name(name_of(each.key) for each in rows if isinstance(each, Entry))
    for candidate in (name,) if name or is_all else _USUAL_READMES:
        found = await _beginning(request, asked.folder, candidate, readme.SIZE) if candidate else None
        if found is not None and found.content:
            return await service_of(request).readmes.article(_written(request, asked.folder, found), found.entry.etag)
    return None


def _written(request: Request, folder: Folder, found: Beginning) -> readme.Readme:
    return readme.Readme(
        name=name_of(found.entry.key),
        text=found.content.decode("utf-8", "replace").removeprefix("\ufeff"),
        is_whole=found.is_whole,
        href=view_href(request, found.entry.key),
        folder_href=file_href(request, folder),
        files_href=file_href(request, ""),
    )


def _crumbs(request: Request, folder: Folder) -> Iterator[Crumb]:
    yield Crumb("Files", file_href(request, ""))
    above = ""
    for name in folder.split("/")[:-1]:
        above += f"{name}/"
        yield Crumb(name, file_href(request, above))


def _row(request: Request, folder: Folder, listed: Listed) -> Row:
    is_file = isinstance(listed, Entry)
    key = listed.key if isinstance(listed, Entry) else listed.folder
    name = name_of(key)
    return Row(
        name=name,
        href=view_href(request, listed.key) if isinstance(listed, Entry) else file_href(request, key),
        download_href=f"{file_href(request, key)}?download" if is_file else None,
        is_folder=not is_file,
        size=listed.size if isinstance(listed, Entry) else None,
        modified_s=listed.modified_ns // 1_000_000_000,
        media_type=(listed.media_type or likely_type(name)) if isinstance(listed, Entry) else None,
        place=key.removeprefix(folder).rstrip("/").removesuffix(name),
    )


def _media_href(request: Request, key: Key, part: str) -> str:
    return f"{root_href(request)}media/{quote(key.encode('utf-8', 'surrogateescape'))}/{part}"


def _parts(key: Key) -> tuple[str, str]:
    folder, slash, name = key.rpartition("/")
    return folder + slash, name
