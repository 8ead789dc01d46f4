"""What an Ogg file holds, by the first packet of each of its streams. Source: RFC 3533 s.6, RFC 5334 s.4, RFC 7845."""

import re
from collections.abc import Iterator

from fileserver.media.detection.found import Found

_CAPTURE = b"OggS"
_IS_FIRST = 0x02
_MOST_STREAMS = 32
_FILM = re.compile(rb"\x80theora|BBCD|OVP80|\x01video|\x80daala|\x80kate-video")
_SOUND = re.compile(rb"\x01vorbis|OpusHead|Speex   |\x7fFLAC|fLaC|PCM     |\x01audio|CELT    ")


def ogg_type(head: bytes) -> Found | None:
    """What an Ogg file that begins with `head` is; None for any other.

    >>> ogg_type(b"OggS\\0\\2" + bytes(20) + b"\\1\\x13OpusHead")
    Found(media_type='audio/ogg', is_settled=True)
    """
    if not head.startswith(_CAPTURE):
        return None
    packets = list(_first_packets(head))
    if any(_FILM.match(packet) for packet in packets):
        return Found("video/ogg")
    if any(_SOUND.match(packet) for packet in packets):
        return Found("audio/ogg")
    return Found("application/ogg", is_settled=False)


def _first_packets(head: bytes) -> Iterator[bytes]:
    """How the first packet of each stream begins: all of them stand before any other page."""
    place = 0
    for _ in range(_MOST_STREAMS):
        page = head[place : place + 27]
        if len(page) < 27 or not page.startswith(_CAPTURE) or not page[5] & _IS_FIRST:
            return
        lengths = head[place + 27 : place + 27 + page[26]]
        start = place + 27 + len(lengths)
        yield head[start : start + 16]
        place = start + sum(lengths)
