"""Photographs of the main views for docs/: `scripts/screenshots [FOLDER]`."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.page.conftest import CHROMIUM, DESK, HAND
from tests.page.views import VIEWS, View
from tests.support.server import running_server
from tests.support.showcase import make_showcase

_DEVICES = {"desktop": DESK, "phone": HAND}
_SCHEMES = ("light", "dark")
_QUALITY = 80
_REST_MS = 600  # until what moves in has come to rest


def main(folder: Path) -> None:
    """One picture for each view, size and scheme."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as root, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        with running_server(make_showcase(Path(root) / "shelf")) as server:
            for view in VIEWS:
                for device in _DEVICES:
                    for scheme in _SCHEMES:
                        path = folder / f"{view.name}-{device}-{scheme}.webp"
                        path.write_bytes(_photographed(browser, server.url, view, device, scheme))
                        print(path)
        browser.close()


def _photographed(browser: Browser, url: str, view: View, device: str, scheme: str) -> bytes:
    with browser.new_context(**{**_DEVICES[device], "color_scheme": scheme, "bypass_csp": True}) as context:
        page = context.new_page()
        page.goto(f"{url}/files/{view.path}")
        view.show(page)
        page.wait_for_timeout(_REST_MS)
        picture = Image.open(io.BytesIO(page.screenshot(scale="css")))
    packed = io.BytesIO()
    picture.convert("RGB").save(packed, "webp", quality=_QUALITY, method=6)
    return packed.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots"))
