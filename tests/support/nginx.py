"""nginx in front of the server, as its users set it up: what a configuration does not say is nginx's default."""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.markdown import DEFAULT_URL
from tests.support.server import wait_until

# What is said beside the location is only what a test needs: no daemon, no rights, no folders of the system's own.
_CONFIGURATION = """
daemon off; worker_processes 1; pid {scratch}/nginx.pid; {user}
events {{ }}
http {{
  access_log off;
  client_body_temp_path {scratch}/body; proxy_temp_path {scratch}/proxy; fastcgi_temp_path {scratch}/fastcgi;
  uwsgi_temp_path {scratch}/uwsgi; scgi_temp_path {scratch}/scgi;
  server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""
_FENCE = re.compile(r"^```nginx\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@contextmanager
def nginx(scratch: Path, location: str) -> Iterator[str]:
    """The origin of an nginx whose server block says this; `scratch` is an empty folder for what it writes."""
    port = free_port()
    configuration = scratch / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""  # or its workers may not write into the folder
    configuration.write_text(_CONFIGURATION.format(scratch=scratch, user=user, port=port, location=location))
    process = subprocess.Popen(["nginx", "-c", str(configuration), "-e", str(scratch / "errors")])
    try:
        wait_until(lambda: process.poll() is not None or _is_open(port))
        assert process.poll() is None, (scratch / "errors").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def documented_locations(document: Path, url: str) -> tuple[str, ...]:
    """The nginx blocks of a Markdown file, in order, with the server at `url` in the place of the default one."""
    text = document.read_text(encoding="utf-8")
    assert DEFAULT_URL in text, f"{document.name} does not lead to {DEFAULT_URL}"
    return tuple(block.replace(DEFAULT_URL, url) for block in _FENCE.findall(text))


def free_port() -> int:
    """A port that was free a moment ago: for a server that is to come back at the same place."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
