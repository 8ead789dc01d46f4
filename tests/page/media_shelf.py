"""Films and records on a site, put there as people put them: what they are is known from the first."""

import urllib.request
from pathlib import Path

from playwright.sync_api import FloatRect, Locator

from tests.page.conftest import Site
from tests.support.media_files import ffmpeg, made

LONG_S = 150


def put(site: Site, path: Path, key: str = "") -> None:
    """Store a file under its name, or under a key."""
    address = f"{site.url}/files/{key or path.name}"
    with urllib.request.urlopen(urllib.request.Request(address, path.read_bytes(), method="PUT"), timeout=30):
        pass


def stock(site: Site, folder: Path, *names: str) -> None:
    """Store files of the matrix, made in `folder` where they are not yet."""
    for name in names:
        put(site, made(name, folder))


def long_film(folder: Path) -> Path:
    """Long enough that one goes on where one stopped, and quickly made."""
    path = folder / "long.mp4"
    if not path.exists():
        film = ("-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=5:duration={LONG_S}")
        sound = ("-f", "lavfi", "-i", f"sine=duration={LONG_S}:sample_rate=8000")
        coding = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac", "-movflags", "+faststart")
        ffmpeg(*film, *sound, *coding, path)
    return path


def box_of(element: Locator) -> FloatRect:
    """Where it is in the window, in CSS pixels."""
    box = element.bounding_box()
    assert box, f"{element} is not to be seen"
    return box
