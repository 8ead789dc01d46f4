"""A form's files on their way into a folder."""

from collections.abc import AsyncGenerator, Mapping
from functools import partial

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from fileserver.api.requests import file_href
from fileserver.api.responses import JsonDocument
from fileserver.api.service import service_of
from fileserver.api.writes import is_free, key_taken
from fileserver.delivery.listing import row_of
from fileserver.delivery.upload import put_form_files
from fileserver.http.negotiation import choose
from storage import Condition, Folder, PreconditionFailed, always, key_to_write


async def store_form(
    request: Request,
    body: AsyncGenerator[bytes, None],
    folder: Folder,
    content_type: str,
    *,
    is_replacing: bool,
    is_retried: bool = False,
) -> Response:
    """Store every file of a form in a folder, and tell of them. Raises ProblemError, and what `put_form_files` does."""
    try:
        entries = await put_form_files(
            body,
            service_of(request).library,
            content_type,
            key_of=lambda name: key_to_write(folder + name),
            condition_of=partial(_condition_of, is_replacing=is_replacing),
            is_retried=is_retried,
            max_size=service_of(request).settings.max_size,
        )
    except PreconditionFailed as error:
        raise key_taken(error.key) from error
    if choose(request.headers.getlist("accept"), ("application/json", "text/html")) == "text/html":
        return RedirectResponse(file_href(request, folder), status_code=303)
    location = file_href(request, entries[0].key if len(entries) == 1 else folder)
    rows = [row_of(each, partial(file_href, request)) for each in entries]
    return JsonDocument({"entries": rows}, 201, {"location": location, "cache-control": "no-store"})


def _condition_of(fields: Mapping[str, str], *, is_replacing: bool) -> Condition:
    return always if is_replacing or fields.get("replace") == "true" else is_free
