"""How soon the page is there and how smoothly it moves, in Chromium: `scripts/bench page`.

The connection and the processor are slowed as Lighthouse slows them for a phone: 1.6 Mbit/s, 150 ms to the server and
back, a quarter of the speed. The delay is Chromium's own, once for each request; that of a new connection is not in it.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.report import Bar, Figures, judge, show
from tests.page.conftest import CHROMIUM, DESK, HAND
from tests.support.server import running_server

_ROUND_TRIP_MS = 150
_DOWN = 1_638_400 / 8  # bytes a second
_UP = 750_000 / 8
_SLOWER = 4
_FIRST_VIEW_BAR_MS = 1000
_FOLDERS = (20, 1_000, 100_000)
_NAMES = {f"{count}": f"a folder of {count:,}" for count in _FOLDERS}
_VIEW = dict.fromkeys(
    ("first byte, ms", "first paint, ms", "largest paint, ms", "ready, ms", "kB until then"), "{:.0f}"
)
_MOVING = {
    "frame, ms": "{:.1f}",
    "95th, ms": "{:.1f}",
    "longest, ms": "{:.1f}",
    "heap, MB": "{:.0f}",
    "elements": "{:.0f}",
}
_SCROLLS = 120
"""Turns of the wheel, one a frame."""

_IS_WHOLE = "(count) => Number(document.querySelector('[aria-rowcount]')?.getAttribute('aria-rowcount')) >= count"
_OBSERVE = """
window.lastPaint = 0;
new PerformanceObserver((list) => { window.lastPaint = list.getEntries().at(-1).startTime; })
  .observe({type: 'largest-contentful-paint', buffered: true});
"""
_FIGURES = """
() => ({
  byte: performance.getEntriesByType('navigation')[0].responseStart,
  first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
  largest: window.lastPaint,
  ready: performance.getEntriesByName('ready')[0]?.startTime ?? NaN,
  bytes: performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
    .filter((entry) => entry.responseStart <= performance.getEntriesByName('ready')[0].startTime)
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0),
})
"""
_FRAMES = """
(count) => new Promise((resolve) => {
  const gaps = [];
  let last = performance.now();
  const turn = (now) => {
    gaps.push(now - last);
    last = now;
    scrollBy(0, 900);
    if (gaps.length < count) requestAnimationFrame(turn);
    else resolve(gaps.slice(1));
  };
  requestAnimationFrame(turn);
})
"""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs: int = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = Path(folder)
        for count in _FOLDERS:
            _fill(root / f"{count}", count)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        with running_server(root) as server:
            _print_views(browser, server.url, runs)
            _print_frames(browser, server.url)
        browser.close()


def _print_views(browser: Browser, url: str, runs: int) -> None:
    results: dict[str, Figures] = {}
    for count in _FOLDERS:
        views = [_view(browser, f"{url}/files/{count}/") for _ in range(runs)]
        results[f"{count}"] = {name: statistics.median(view[name] for view in views) for name in _VIEW}
    show("The first view, on a phone", results, _NAMES, _VIEW)
    judge(
        *(
            Bar(f"largest paint of {_NAMES[count]}, ms", figures["largest paint, ms"], _FIRST_VIEW_BAR_MS)
            for count, figures in results.items()
        )
    )


def _print_frames(browser: Browser, url: str) -> None:
    results: dict[str, Figures] = {}
    for count in _FOLDERS[1:]:
        with _opened(browser, DESK) as page:
            page.goto(f"{url}/files/{count}/")
            page.wait_for_function(_IS_WHOLE, arg=count)
            gaps = sorted(page.evaluate(_FRAMES, _SCROLLS))
            results[f"{count}"] = {
                "frame, ms": gaps[len(gaps) // 2],
                "95th, ms": gaps[int(len(gaps) * 0.95)],
                "longest, ms": gaps[-1],
                "heap, MB": page.evaluate("performance.memory.usedJSHeapSize") / 1e6,
                "elements": page.evaluate("document.querySelectorAll('*').length"),
            }
    show("Scrolling, on a desk", results, _NAMES, _MOVING)


def _view(browser: Browser, address: str) -> Figures:
    with _opened(browser, HAND) as page:
        session = page.context.new_cdp_session(page)
        _slow(session)
        page.add_init_script(_OBSERVE)
        page.goto(address)
        page.wait_for_function("performance.getEntriesByName('ready').length > 0")
        page.wait_for_timeout(300)  # a later paint would be the larger one
        seen = page.evaluate(_FIGURES)
        figures = (seen["byte"], seen["first"], seen["largest"], seen["ready"], seen["bytes"] / 1000)
        return dict(zip(_VIEW, figures, strict=True))


def _slow(session: CDPSession) -> None:
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": _ROUND_TRIP_MS, "downloadThroughput": _DOWN, "uploadThroughput": _UP},
    )
    session.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWER})


@contextmanager
def _opened(browser: Browser, device: dict[str, Any]) -> Iterator[Page]:
    context = browser.new_context(**device, bypass_csp=True)
    yield context.new_page()
    context.close()


def _fill(folder: Path, count: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"report {number:06}.txt").write_bytes(b"%d\n" % number)


if __name__ == "__main__":
    main()
