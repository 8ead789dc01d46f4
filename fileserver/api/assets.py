"""`/assets/{digest}/{path}`: what the pages are made of, to be kept for ever.

Sources: RFC 8246 (immutable), RFC 9110 s.12.5.3 (Accept-Encoding).
"""

from typing import Final

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from fileserver.api.requests import fields_of
from fileserver.http.negotiation import accepts_coding
from fileserver.web.assets import assets
from storage import NotFound

router = APIRouter(include_in_schema=False)

_FOR_EVER: Final = "public, max-age=31536000, immutable"


@router.get("/assets/{digest}/{path:path}")
@router.head("/assets/{digest}/{path:path}")
async def asset(request: Request, digest: str, path: str) -> Response:
    """An asset of this version. One of another version is not found: a page is made of one alone."""
    present = assets()
    found = present.by_path.get(path) if digest == present.digest else None
    if found is None:
        raise NotFound(path)
    headers = {
        "cache-control": _FOR_EVER,
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "content-type": found.media_type,
    }
    if accepts_coding(fields_of(request).lines("accept-encoding"), "gzip"):
        compressed = await anyio.to_thread.run_sync(lambda: found.compressed)
        if compressed is not None:
            return Response(compressed, headers={**headers, "content-encoding": "gzip"})
    return Response(found.content, headers=headers)
