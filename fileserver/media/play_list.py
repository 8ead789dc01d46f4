"""A play list of one file, for players that are no browsers: extended M3U, as VLC, mpv and others read it."""

import re

MEDIA_TYPE = "audio/x-mpegurl"
"""What players are registered for; that of RFC 8216 means a stream of segments to some of them."""

_LONGEST_TITLE = 500
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def play_list(url: str, title: str, duration_s: float | None) -> str:
    """The text of a play list, in UTF-8; the URL is absolute and has no character that needs escaping.

    >>> play_list("http://a/film.mkv", "A\\nfilm", 61.7)
    '#EXTM3U\\n#EXTINF:62,A film\\nhttp://a/film.mkv\\n'
    >>> play_list("http://a/live.ts", "", None)
    '#EXTM3U\\n#EXTINF:-1,\\nhttp://a/live.ts\\n'

    A title with line ends could name other files. Raises ValueError for a URL that could.
    """
    if not url.isascii() or not url.isprintable() or " " in url or url.startswith("#"):
        raise ValueError("a URL has to be escaped")
    shown = _UNPRINTABLE.sub(" ", title)[:_LONGEST_TITLE].strip()
    seconds = -1 if duration_s is None else round(duration_s)
    return f"#EXTM3U\n#EXTINF:{seconds},{shown}\n{url}\n"
