"""What text is, by its first words where they are beyond doubt, for files whose names say nothing.

Source: WebVTT s.4.1, RFC 8216 s.4.3.1, RFC 5545 s.3.4, RFC 6350 s.6.1, RFC 4155, ISO 10303-21, the formats' documents.
"""

import re

HLS = "application/vnd.apple.mpegurl"

_STARTS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern), media_type)
    for pattern, media_type in (
        (rb"WEBVTT(?=[ \t\r\n]|$)", "text/vtt"),
        (rb"#EXTM3U\b(?s:.{0,4096}?)\n#EXT-X-", HLS),
        (rb"#EXTM3U\b", "audio/x-mpegurl"),
        (rb"\d{1,9}\r?\n\d{1,3}:\d\d:\d\d[,.]\d{3} --> \d", "application/x-subrip"),
        (rb"\[Script Info\]", "text/x-ssa"),
        (rb"\{\d{1,7}\}\{\d{1,7}\}", "text/x-microdvd"),
        (rb"(?:\[(?:ti|ar|al|by|offset|length):[^\]\n]{0,200}\]\r?\n)*\[\d\d:\d\d\.\d\d", "text/x-lrc"),
        (rb"\[playlist\]\s", "audio/x-scpls"),
        (rb"BEGIN:VCALENDAR\b", "text/calendar"),
        (rb"BEGIN:VCARD\b", "text/vcard"),
        (rb"From \S{1,200} {1,8}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ", "application/mbox"),
        (rb"%PDF-\d", "application/pdf"),
        (rb"%!PS-AdobeFont", "application/x-font-type1"),
        (rb"%!PS", "application/postscript"),
        (rb"\{\\rtf", "text/rtf"),
        (rb"P[14]\s", "image/x-portable-bitmap"),
        (rb"P[25]\s{1,9}(?:#.{0,200}\n\s{0,9})?\d{1,9}\s{1,9}\d{1,9}\s", "image/x-portable-graymap"),
        (rb"P[36]\s{1,9}(?:#.{0,200}\n\s{0,9})?\d{1,9}\s{1,9}\d{1,9}\s", "image/x-portable-pixmap"),
        (rb"/\* XPM \*/", "image/x-xpixmap"),
        (rb"#define \w{0,60}width \d{1,9}\s{1,9}#define \w{0,60}height \d", "image/x-xbitmap"),
        (rb"ply\r?\nformat ", "model/ply"),
        (rb"solid\b.{0,200}\n\s{0,64}facet normal ", "model/stl"),
        (rb"ISO-10303-21;", "model/step"),
        (rb"\s{0,9}0\r?\n\s{0,9}SECTION\r?\n", "image/vnd.dxf"),
        (rb"-----BEGIN PGP MESSAGE", "application/pgp-encrypted"),
        (rb"-----BEGIN PGP SIGNATURE", "application/pgp-signature"),
        (rb"-----BEGIN PGP PUBLIC", "application/pgp-keys"),
        (rb"-----BEGIN [A-Z0-9 ]{3,40}-----", "application/x-pem-file"),
        (rb"\[InternetShortcut\]\s", "application/x-mswinurl"),
        (rb"\[Desktop Entry\]\s", "application/x-desktop"),
        (rb"diff --git a/|--- \S.{0,200}\r?\n\+\+\+ \S", "text/x-diff"),
        (rb"# v[23] git bundle\n", "application/x-git-bundle"),
        (rb"!<arch>\ndebian-binary", "application/vnd.debian.binary-package"),
        (rb"!<arch>\n", "application/x-archive"),
        (rb"d(?:8:announce|7:comment|10:created by|13:creation date)", "application/x-bittorrent"),
        (rb"#!\s?\S{0,100}/(?:env (?:-S )?)?(?:ba|da|k|z)?sh\b", "text/x-shellscript"),
        (rb"#!\s?\S{0,100}/(?:env (?:-S )?)?python", "text/x-python"),
        (rb"#!\s?\S{0,100}/(?:env (?:-S )?)?perl\b", "text/x-perl"),
        (rb"#!\s?\S{0,100}/(?:env (?:-S )?)?ruby\b", "text/x-ruby"),
        (rb"#!\s?\S{0,100}/(?:env (?:-S )?)?(?:node|deno|bun)\b", "text/javascript"),
        (rb"<\?php\b", "text/x-php"),
        (rb"\\documentclass\b", "text/x-tex"),
    )
)
"""The first that fits. Nothing repeats without a bound, so that no head takes long."""


def worded_type(head: bytes) -> str | None:
    """What text that begins with `head` is; None where its first words say nothing.

    >>> worded_type(b"WEBVTT\\n"), worded_type(b"#EXTM3U\\n#EXT-X-VERSION:7\\n"), worded_type(b"hello")
    ('text/vtt', 'application/vnd.apple.mpegurl', None)
    """
    text = head.removeprefix(b"\xef\xbb\xbf")
    return next((media_type for pattern, media_type in _STARTS if pattern.match(text)), None)
