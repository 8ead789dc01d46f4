"""What a file probably is, by the end of its name alone: for lists of files that nobody has looked into yet.

Never for what a file is served as, which its bytes decide.
"""

from typing import Final

from fileserver.media.detection.names import TEXT, TEXT_BY_NAME, ZIP, extension_of

_BINARY: Final = {
    "7z": "application/x-7z-compressed",
    "gz": "application/gzip",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "tar": "application/x-tar",
    "tgz": "application/gzip",
    "xz": "application/x-xz",
    "apng": "image/apng",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "ico": "image/x-icon",
    "jfif": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "jxl": "image/jxl",
    "png": "image/png",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "aac": "audio/aac",
    "ac3": "audio/ac3",
    "aif": "audio/aiff",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "mid": "audio/midi",
    "midi": "audio/midi",
    "mka": "audio/matroska",
    "mp3": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "wma": "audio/x-ms-wma",
    "3gp": "video/3gpp",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "m2ts": "video/mp2t",
    "m4v": "video/mp4",
    "mkv": "video/matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "mts": "video/mp2t",
    "ogv": "video/ogg",
    "webm": "video/webm",
    "wmv": "video/x-ms-wmv",
}
_BY_ENDING: Final = {ending: kind for ending, kind in (TEXT | ZIP | _BINARY).items() if ending != "ts"}
"""A `.ts` is as often a film as a program."""


def likely_type(name: str) -> str | None:
    """The media type that a file of this name has most of the time, None where the name says nothing.

    >>> likely_type("IMG_1.HEIC"), likely_type("Makefile"), likely_type("film.ts")
    ('image/heic', 'text/x-makefile', None)
    """
    return TEXT_BY_NAME.get(name.lower()) or _BY_ENDING.get(extension_of(name))
