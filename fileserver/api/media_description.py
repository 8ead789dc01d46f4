"""`/media/{key}`: what a stored file is, and how it plays."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import anyio.to_thread
from fastapi import Request

from fileserver.api.requests import file_href, root_href
from fileserver.api.responses import JsonStream
from fileserver.api.service import service_of
from fileserver.delivery.media_answer import Content, MediaAnswer, Text
from fileserver.delivery.media_description import Addresses, description_of
from fileserver.delivery.virtual import version_of
from storage import Entry, Key, Reader, name_of


def answer_description(request: Request, key: Key, version: str | None) -> JsonStream:
    """The description of a file, of this version if one is named."""
    service = service_of(request)
    at = addresses_of(request, key)

    async def content(reader: Reader, entry: Entry) -> Content:
        told = await description_of(
            service.derivatives,
            reader,
            entry,
            at(entry),
            sidecars=await service.sidecars.of(key),
            may_transcode=service.settings.video_transcode,
        )
        return Text(await anyio.to_thread.run_sync(_encoded, told), JsonStream.content_type)  # 0.1 s of 8 MB, at most

    name = f"{name_of(key)}.json"
    # subtitles beside it come and go, and so do settings
    return JsonStream(MediaAnswer(service.derivatives, key, version, name, content, is_lasting=False))


def _encoded(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode("ascii")


def addresses_of(request: Request, key: Key) -> Callable[[Entry], Addresses]:
    """Where everything is of a version of a file."""
    media = f"{root_href(request)}media/{quote(key.encode('utf-8', 'surrogateescape'))}"

    def at(entry: Entry) -> Addresses:
        return Addresses(key, file_href(request, key), media, version_of(entry))

    return at
