"""Under which name a download is kept: one safe segment, whatever the server says."""

import re
from urllib.parse import unquote, unquote_to_bytes, urlsplit

from fileserver.http.disposition import safe_name

_PARAMETER = re.compile(r';\s*([!#$&+.^_`|~0-9A-Za-z*-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s"]*)')


def told_name(disposition: str | None) -> str | None:
    """The name in a Content-Disposition field; `filename*` goes before `filename` (RFC 6266 s.4.3).

    >>> told_name("attachment; filename=\\"s_on.txt\\"; filename*=UTF-8''s%C5%82o%C5%84.txt")
    'słoń.txt'
    >>> told_name('attachment; filename="a \\\\"b\\\\".txt"')
    'a "b".txt'
    """
    parameters = {name.lower(): value for name, value in _PARAMETER.findall(disposition or "")}
    extended = _extended(parameters.get("filename*", ""))
    return extended or _unquoted(parameters.get("filename", "")) or None


def kept_name(disposition: str | None, url: str) -> str:
    """The last segment of what the server says, else of the URL that was asked for.

    It never starts with a dot: a server may not name a file that configures a shell.

    >>> kept_name('attachment; filename="../../.bashrc"', "http://h/x"), kept_name(None, "http://h/a/b%20c.txt?d")
    ('bashrc', 'b c.txt')
    """
    name = told_name(disposition) or unquote(urlsplit(url).path.rstrip("/"))
    return safe_name(safe_name(name).lstrip("."))


def is_folder(disposition: str | None, url: str) -> bool:
    """Whether what a URL answers is a folder's listing, and no file.

    >>> is_folder(None, "http://h/a/?sort=name"), is_folder(None, "http://h/a"), is_folder("attachment", "http://h/a/")
    (True, False, False)
    """
    return disposition is None and (urlsplit(url).path or "/").endswith("/")


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return re.sub(r"\\(.)", r"\1", value[1:-1]).encode("latin-1", "replace").decode("utf-8", "replace")


def _extended(value: str) -> str | None:
    """A value of RFC 8187 s.3.2: charset, language, percent-encoded text; None for another charset."""
    charset, mark, rest = value.partition("'")
    if not mark or charset.lower() not in ("utf-8", "iso-8859-1"):
        return None
    return unquote_to_bytes(rest.partition("'")[2]).decode(charset.lower(), "replace")
