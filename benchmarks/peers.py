"""How each peer is started over a folder, on one port of 127.0.0.1, as its users run it.

One worker process for all, and one thread that serves where that can be chosen. Caddy keeps Go's own choice of
threads, copyparty its thread for each connection, and uvicorn its pool of worker threads.
"""

import http.client
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peer_apps
from benchmarks.load import cache_folder
from benchmarks.processes import START_S, Unavailable, free_port, running

CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
PACKAGES = (
    "aiofiles",
    "aiohttp",
    "copyparty",
    "fastapi",
    "granian",
    "python-multipart",
    "starlette",
    "uvicorn[standard]",
)
NGINX = """
daemon off; worker_processes 1; worker_rlimit_nofile 8192; pid {scratch}/nginx.pid; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile {sendfile}; keepalive_requests 1000000000; client_max_body_size 0;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}; {dav} }}
}}
"""
CADDY = """
{{
    admin off
    auto_https off
}}
:{port} {{
    bind 127.0.0.1
    root * {folder}
    file_server
}}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """What a peer is given: the folder to serve, a folder for what it needs itself, a port."""

    folder: Path
    scratch: Path
    port: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A server to measure. Files stand below `prefix`; `needs` is a program it cannot do without. One that is written
    to has a folder of its own inside the one it is given."""

    key: str
    name: str
    command: Callable[[Site], list[str]]
    prefix: str = "/"
    needs: str | None = None
    is_python: bool = True
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """A peer that runs."""

    peer: Peer
    site: Site
    pid: int

    def path(self, name: str) -> str:
        """The path of a file's URL."""
        return self.peer.prefix + name


@contextmanager
def serving(peer: Peer, folder: Path, scratch: Path) -> Iterator[Server]:
    """The peer over the folder. Raises Unavailable, with the reason, if it cannot be had."""
    if peer.needs and shutil.which(peer.needs) is None:
        raise Unavailable(f"{peer.needs} is not installed")
    own = scratch / peer.key
    own.mkdir(exist_ok=True)
    if peer.is_written:
        folder = folder / peer.key
        folder.mkdir(exist_ok=True)
    site = Site(folder, own, free_port())
    environment = dict.fromkeys(("TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(own))
    with running(peer.command(site), site.port, environment) as pid:
        await_answer(site.port, peer.prefix)
        yield Server(peer, site, pid)


def await_answer(port: int, path: str) -> None:
    """Return once the server has answered, with whatever status: some listen before they can answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_S)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except OSError as failed:
        raise Unavailable("it listens and does not answer") from failed
    finally:
        connection.close()


def ours(*options: str) -> Callable[[Site], list[str]]:
    """This server."""

    def command(site: Site) -> list[str]:
        program = str(Path(sys.executable).parent / "fileserver")
        return [program, "serve", str(site.folder), "--port", str(site.port), "--no-access-log", *options]

    return command


def nginx(*, sendfile: str = "on", dav: str = "") -> Callable[[Site], list[str]]:
    """nginx with one worker. As root it keeps root, because the folders are private. tcp_nopush stays off, which is
    nginx's default: on the loopback it makes sendfile cost more."""

    def command(site: Site) -> list[str]:
        config = site.scratch / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        names = {"scratch": site.scratch, "folder": site.folder, "port": site.port}
        config.write_text(NGINX.format(sendfile=sendfile, user=user, dav=dav, **names))
        return ["nginx", "-c", str(config), "-e", "stderr"]

    return command


def caddy(site: Site) -> list[str]:
    """Caddy's file server, without its administration and without TLS."""
    config = site.scratch / "Caddyfile"
    config.write_text(CADDY.format(port=site.port, folder=site.folder))
    return ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]


def peers_python() -> str:
    """The interpreter of the peers' own virtual environment, made on first use."""
    folder = cache_folder() / "python"
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join((sys.version, *PACKAGES, CONSTRAINTS.read_text()))
    if stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    print("Installing the Python peers", file=sys.stderr)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint", str(CONSTRAINTS)]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True)
        subprocess.run([str(python), *install, *PACKAGES], check=True, capture_output=True)
    except subprocess.CalledProcessError as failed:
        raise Unavailable("the virtual environment of the Python peers cannot be made") from failed
    stamp.write_text(wanted)
    return str(python)


def written(source: str, site: Site) -> str:
    """The application as a file in the peer's own folder; its path."""
    path = site.scratch / "peer_app.py"
    path.write_text(source.replace("FOLDER", repr(str(site.folder))))
    return str(path)


def uvicorn(source: str) -> Callable[[Site], list[str]]:
    """An application on uvicorn with uvloop and httptools, the versions that this server runs on."""

    def command(site: Site) -> list[str]:
        written(source, site)
        options = ["--port", str(site.port), "--app-dir", str(site.scratch), "--no-access-log", "--log-level", "error"]
        return [peers_python(), "-m", "uvicorn", "peer_app:app", *options]

    return command


def granian(site: Site) -> list[str]:
    """Starlette's StaticFiles on Granian, which sends a file by its path."""
    written(peer_apps.STATIC_FILES, site)
    options = ["--interface", "asgi", "--workers", "1", "--host", "127.0.0.1", "--port", str(site.port)]
    return [peers_python(), "-m", "granian", *options, "--working-dir", str(site.scratch), "peer_app:app"]


def aiohttp(site: Site) -> list[str]:
    """aiohttp's static route on asyncio's own loop, the one that can sendfile."""
    return [peers_python(), written(peer_apps.AIOHTTP, site), str(site.port)]


def copyparty(site: Site) -> list[str]:
    """copyparty, readable by all, without thumbnails."""
    options = ["-q", "-i", "127.0.0.1", "-p", str(site.port), "-j", "1", "--no-thumb", "-v", f"{site.folder}::r"]
    return [peers_python(), "-m", "copyparty", *options]


PEERS = {
    peer.key: peer
    for peer in (
        Peer("ours", "this server", ours("--read-only"), "/files/"),
        Peer("ours-copying", "this server, --no-zero-copy", ours("--read-only", "--no-zero-copy"), "/files/"),
        Peer("nginx", "nginx, sendfile", nginx(), needs="nginx", is_python=False),
        Peer("nginx-copying", "nginx, sendfile off", nginx(sendfile="off"), needs="nginx", is_python=False),
        Peer("caddy", "Caddy", caddy, needs="caddy", is_python=False),
        Peer("aiohttp", "aiohttp static", aiohttp),
        Peer("copyparty", "copyparty", copyparty),
        Peer("granian", "Granian, StaticFiles", granian),
        Peer("file-response", "uvicorn, FileResponse", uvicorn(peer_apps.FILE_RESPONSE)),
        Peer("lines", "uvicorn, tutorial: lines", uvicorn(peer_apps.LINES)),
        Peer("generator", "uvicorn, tutorial: 64 KiB generator", uvicorn(peer_apps.GENERATOR)),
        Peer("aiofiles", "uvicorn, tutorial: 64 KiB aiofiles", uvicorn(peer_apps.AIOFILES)),
    )
}
TUTORIALS = frozenset(("lines", "generator", "aiofiles"))
DAV = "dav_methods PUT; create_full_put_path on;"
UPLOADS = {
    peer.key: peer
    for peer in (
        Peer("ours", "this server, PUT", ours(), "/files/", is_written=True),
        Peer("ours-form", "this server, form", ours(), "/files/?replace=true", is_written=True),
        Peer("nginx", "nginx dav, PUT", nginx(dav=DAV), needs="nginx", is_python=False, is_written=True),
        Peer("upload-file", "uvicorn, UploadFile, form", uvicorn(peer_apps.UPLOAD_FILE), is_written=True),
    )
}
