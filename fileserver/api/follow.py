"""`/files/{key}?follow`: a file that is still being uploaded."""

from fastapi import Request, Response

from fileserver import media
from fileserver.api.responses import FileBytes
from fileserver.api.service import service_of
from fileserver.delivery.download import Download
from fileserver.delivery.follow import Follow
from storage import Key


def answer_follow(request: Request, key: Key, download: str | None) -> Response:
    """The bytes of the upload to a key as they come, up to its end; where there is none, the stored file."""
    service = service_of(request)
    chunk_size, limit_rate = service.settings.chunk_size, service.settings.limit_rate
    stored = Download(service.library, key, download, chunk_size, limit_rate)
    follow = Follow(
        service.uploads,
        key,
        download,
        media.detect,
        service.stopping,
        stored,
        chunk_size=chunk_size,
        limit_rate=limit_rate,
    )
    return FileBytes(follow)
