"""What the head of a folder's page says to others than the reader: to phones that install it, and to previews of links.

Sources: W3C Web Application Manifest, the Open Graph protocol.
"""

from dataclasses import dataclass

from fileserver.web.assets import asset_prefix
from fileserver.web.html import Html, joined, opening
from fileserver.web.listing import human_size


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page is about. `picture_url` is absolute, as previews want it."""

    title: str
    description: str
    picture_url: str | None = None


def of_folder(title: str, count: int, *, is_all: bool) -> Subject:
    """A folder, of which `count` files and folders are on the page.

    >>> of_folder("Films", 1, is_all=True).description, of_folder("Films", 1000, is_all=False).description
    ('1 item', 'More than 1000 items')
    """
    words = "1 item" if count == 1 else f"{count} items"
    return Subject(title, words if is_all else f"More than {words}")


def of_file(name: str, size: int, picture_url: str | None) -> Subject:
    """A file of this size in bytes."""
    return Subject(name, human_size(size), picture_url)


def head(subject: Subject, base: str) -> Html:
    """The elements of a page's head; `base` is the path of the application, with its slash."""
    prefix = asset_prefix(base)
    return joined(
        # behind a proxy that asks for a password the manifest is fetched like the page
        opening("link", rel="manifest", href=f"{prefix}manifest.webmanifest", crossorigin="use-credentials"),
        opening("link", rel="apple-touch-icon", href=f"{prefix}icon-180.png"),
        opening("meta", name="robots", content="noindex"),
        opening("meta", name="description", content=subject.description),
        opening("meta", property="og:type", content="website"),
        opening("meta", property="og:title", content=subject.title),
        opening("meta", property="og:description", content=subject.description),
        opening("meta", property="og:image", content=subject.picture_url) if subject.picture_url else "",
    )
