"""What a file of chunks is: RIFF and its children, IFF, and Microsoft's ASF, of film or of sound.

Source: Multimedia Programming Interface 1.0 ch.2 (RIFF), EBU Tech 3306 (RF64), EA IFF 85, ASF specification s.2-3.
"""

from fileserver.media.detection.found import Found

_RIFF_KINDS: dict[bytes, str] = {
    b"ACON": "application/x-navi-animation",
    b"AVI ": "video/x-msvideo",
    b"CDDA": "application/x-cdf",
    b"CDR": "application/vnd.corel-draw",
    b"QLCM": "audio/qcelp",
    b"RMID": "audio/midi",
    b"RMMP": "video/x-rmmp",
    b"WAVE": "audio/wav",
    b"WEBP": "image/webp",
    b"sfbk": "audio/x-sfbk",
    b"DLS ": "audio/dls",
    b"AMV ": "video/x-amv",
}
_IFF_KINDS: dict[bytes, str] = {
    b"8SVX": "audio/x-8svx",
    b"AIFC": "audio/aiff",
    b"AIFF": "audio/aiff",
    b"ILBM": "image/x-ilbm",
    b"PBM ": "image/x-ilbm",
    b"IFRS": "application/x-blorb",
}
_WAVE64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")

_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_STREAM = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_SOUND = bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b")
_FILM = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_MOST_OBJECTS = 200


def chunked_type(head: bytes) -> Found | None:
    """What a file of chunks that begins with `head` is; None for any other.

    >>> chunked_type(b"RIFF\\x04\\0\\0\\0WAVE"), chunked_type(b"FORM\\0\\0\\0\\x04AIFC")
    (Found(media_type='audio/wav', is_settled=True), Found(media_type='audio/aiff', is_settled=True))
    """
    mark, kind = head[:4], head[8:12]
    if mark in {b"RIFF", b"RIFX", b"RF64", b"BW64"}:
        found = _RIFF_KINDS.get(kind) or _RIFF_KINDS.get(kind[:3])
        return Found(found) if found else None
    if mark == b"FORM":
        return Found(_IFF_KINDS[kind]) if kind in _IFF_KINDS else None
    if head.startswith(_WAVE64):
        return Found("audio/x-w64")
    return _asf(head) if head.startswith(_ASF_HEADER) else None


def _asf(head: bytes) -> Found:
    """Sound, where the streams are known and none is a film."""
    size = int.from_bytes(head[16:24], "little")
    place, kinds = 30, set()
    for _ in range(_MOST_OBJECTS):
        length = int.from_bytes(head[place + 16 : place + 24], "little")
        if head[place : place + 16] == _STREAM:
            kinds.add(head[place + 24 : place + 40])
        if length < 24 or place + 24 > min(size, len(head)):
            break
        # the objects of the header's extension follow its own 46 bytes
        place += 46 if head[place : place + 16] == _EXTENSION else length
    if _FILM in kinds:
        return Found("video/x-ms-asf", is_settled=False)
    is_sound = _SOUND in kinds and size <= len(head)
    return Found("audio/x-ms-wma") if is_sound else Found("video/x-ms-asf", is_settled=False)
