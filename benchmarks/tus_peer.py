"""The tus project's own server for Node.js, @tus/server with its store of files, as a peer to be measured."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.load import cache_folder
from benchmarks.peers import Site
from benchmarks.processes import Unavailable

PROGRAM = Path(__file__).parent / "tus_server.mjs"
PACKAGES = (
    "@tus/file-store@2.1.1",
    "@tus/server@2.4.5",
    "@tus/utils@0.7.1",
    "debug@4.4.3",
    "lodash.throttle@4.1.1",
    "ms@2.1.3",
    "set-cookie-parser@2.7.3",
    "srvx@0.11.22",
)
"""What it consists of, each at the version that was measured: given by name, npm chooses none itself."""


def tus_server(*options: str) -> Callable[[Site], list[str]]:
    """@tus/server with one process, which is its way. It never syncs; with `--synced`, after each PATCH."""

    def command(site: Site) -> list[str]:
        return ["node", str(installed() / PROGRAM.name), str(site.folder), str(site.port), *options]

    return command


def installed() -> Path:
    """The folder that has the packages and a copy of the program beside them, where Node.js looks them up."""
    folder = cache_folder() / "node"
    stamp, wanted = folder / "installed", "\n".join(PACKAGES)
    if not stamp.exists() or stamp.read_text() != wanted:
        print("Installing @tus/server", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        install(folder)
        stamp.write_text(wanted)
    shutil.copy(PROGRAM, folder)
    return folder


def install(folder: Path) -> None:
    """Have npm put the packages there, and run no script of theirs. Raises Unavailable."""
    options = ["--prefix", str(folder), "--no-package-lock", "--ignore-scripts", "--omit=optional"]
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(["npm", "install", *options, *quiet, *PACKAGES], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as failed:
        raise Unavailable("npm cannot install its packages") from failed
