"""Which URLs the client takes. Pure."""

from urllib.parse import urlsplit


def flaw(url: str) -> str | None:
    """What is wrong with a URL that is to be asked; None where nothing is.

    >>> flaw("http://h:8000/a"), flaw("http://"), flaw("http://h:99999/")
    (None, 'http:// names no host', 'http://h:99999/: Port out of range 0-65535')
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return f"{url}: {error}"
    if parts.scheme not in ("http", "https"):
        return f"{url} is not an http or https URL"
    return None if parts.hostname else f"{url} names no host"
