"""A stored file as FFmpeg may see it: one open descriptor, the demuxers of its own kind, and no other protocol.

An uploaded playlist makes FFmpeg open other files whatever protocols it is allowed, so the demuxer is chosen by what
the bytes were found to be, never by FFmpeg's own guess among all that it has.
"""

import os
from dataclasses import dataclass

import av
from av.container import InputContainer

from fileserver.media.faults import DamagedMedia, NotMedia

MOST_STREAMS = 100

_DEMUXERS = {
    "application/mxf": "mxf",
    "application/ogg": "ogg",
    "application/vnd.rn-realmedia": "rm",
    "audio/3gpp": "mov",
    "audio/3gpp2": "mov",
    "audio/aac": "aac",
    "audio/ac3": "ac3",
    "audio/aiff": "aiff",
    "audio/amr": "amr",
    "audio/amr-wb": "amr",
    "audio/ape": "ape",
    "audio/basic": "au",
    "audio/eac3": "eac3",
    "audio/flac": "flac",
    "audio/matroska": "matroska",
    "audio/mp4": "mov",
    "audio/mp4a-latm": "loas",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/true-hd": "truehd",
    "audio/vnd.dolby.mlp": "mlp",
    "audio/vnd.rn-realaudio": "rm",
    "audio/wav": "wav,w64",
    "audio/webm": "matroska",
    "audio/x-caf": "caf",
    "audio/x-w64": "w64",
    "audio/x-dsf": "dsf",
    "audio/x-musepack": "mpc,mpc8",
    "audio/x-tta": "tta",
    "audio/x-voc": "voc",
    "audio/x-wavpack": "wv",
    "audio/x-ms-wma": "asf",
    "audio/vnd.dts": "dts,dtshd",
    "image/avif": "mov",
    "image/gif": "gif",
    "image/heic": "mov",
    "video/3gpp": "mov",
    "video/3gpp2": "mov",
    "video/dv": "dv",
    "video/h264": "h264",
    "video/h265": "hevc",
    "video/matroska": "matroska",
    "video/mp2t": "mpegts",
    "video/mp4": "mov",
    "video/mp4v-es": "m4v",
    "video/mpeg": "mpeg,mpegvideo",
    "video/ogg": "ogg",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-flv": "flv",
    "video/x-nut": "nut",
    "video/x-yuv4mpeg": "yuv4mpegpipe",
    "video/x-wtv": "wtv",
    "video/x-ivf": "ivf",
    "video/x-ms-asf": "asf",
    "video/x-ms-wmv": "asf",
    "video/x-msvideo": "avi",
}
"""Which of FFmpeg's demuxers may read a kind of file, by names of its `format_whitelist`."""


_PIECE = 64 << 10
"""Bytes that the demuxer of MP4 gets at once. By `fd:` it reads 9 MB wherever it jumps: the subtitles of a film of
5.5 GB took 5,464 MB so, and take 243 MB in such pieces. Of other kinds a whole film costs six times as much so."""


@dataclass(frozen=True, slots=True)
class Source:
    """A regular file open for reading, with a position of its own. `media_type` has no parameters."""

    descriptor: int
    size: int
    media_type: str

    def open(self, **options: str) -> InputContainer:
        """FFmpeg's view of it, from its beginning; `options` are those of its demuxers. Raises NotMedia, DamagedMedia.

        To be used as a context manager, and one at a time: they share the position of the descriptor.
        """
        demuxers = _DEMUXERS.get(self.media_type)
        if demuxers is None:
            raise NotMedia(f"a file of the type {self.media_type} holds no sound or film")
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        given = {
            "fd": str(self.descriptor),
            "protocol_whitelist": "fd",
            "format_whitelist": demuxers,
            "max_streams": str(MOST_STREAMS),
            **options,
        }
        try:
            if demuxers == "mov":
                return av.open(_Positioned(self), "r", options=given, metadata_errors="replace", buffer_size=_PIECE)
            return av.open("fd:", options=given, metadata_errors="replace")
        except av.error.FFmpegError as error:
            raise DamagedMedia(f"the file cannot be read as {self.media_type}") from error


class _Positioned:
    """A source as FFmpeg reads it through us. `name` is what errors and guesses by name see."""

    name = ""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._place = 0

    def read(self, size: int) -> bytes:
        """The next bytes."""
        found = os.pread(self._source.descriptor, size, self._place)
        self._place += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place, and say which it is."""
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._source.size}[whence]
        return self._place

    def tell(self) -> int:
        """The place."""
        return self._place
