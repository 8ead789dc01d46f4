"""The sockets that the server listens on, bound before anything else starts, so that a fault is one clear line."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path

from fileserver.settings import Settings

# What uvicorn takes: connections that wait while the server starts or is busy.
BACKLOG = 2048
# As open as a loopback address, which every user of the machine can reach. The folder it lies in may be closed.
_UDS_MODE = 0o666

_IPV4 = 4
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class CannotListen(Exception):
    """The address cannot be had; the text says why."""


@contextmanager
def listening(settings: Settings) -> Iterator[tuple[socket.socket, ...]]:
    """Sockets that already listen; closed at the end, and a Unix domain socket removed. Raises CannotListen."""
    with ExitStack() as stack:
        if settings.uds is not None:
            sockets = [_listen_on_path(settings.uds)]
            stack.callback(settings.uds.unlink, missing_ok=True)
        else:
            sockets = _listen_on_address(settings.host, settings.port)
        for each in sockets:
            stack.callback(each.close)
        yield tuple(sockets)


def urls(settings: Settings, sockets: tuple[socket.socket, ...]) -> tuple[str, ...]:
    """Where a client finds the server, with the real port."""
    if settings.uds is not None:
        return (f"unix:{settings.uds.absolute()}",)
    places = (each.getsockname()[:2] for each in sockets)
    found = (_url(name, port, settings.root_path) for address, port in places for name in _names(settings, address))
    return tuple(dict.fromkeys(found))


def _names(settings: Settings, address: str) -> tuple[str, ...]:
    """What to call the address: as it was asked for, or for every address one for this machine and one for others."""
    if not ip_address(address).is_unspecified:
        return (settings.host,)
    return ("127.0.0.1" if ip_address(address).version == _IPV4 else "::1", socket.gethostname())


def _url(name: str, port: int, root_path: str) -> str:
    return f"http://{f'[{name}]' if ':' in name else name}:{port}{root_path}/"


def _listen_on_address(host: str, port: int) -> list[socket.socket]:
    """A socket for each address that the name stands for and this machine has, all on one port."""
    sockets: list[socket.socket] = []
    faults: list[OSError] = []
    for family, address in _addresses(host):
        chosen = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(socket.create_server((address, chosen), family=family, backlog=BACKLOG))
        except OSError as error:
            faults.append(error)
    grave = [fault for fault in faults if not sockets or fault.errno not in _NOT_HERE]
    if not grave:
        return sockets
    for each in sockets:
        each.close()
    raise CannotListen(_why(host, port, grave[0])) from grave[0]


def _addresses(host: str) -> tuple[tuple[socket.AddressFamily, str], ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotListen(f"{host} is not an address of this machine: {error.strerror}") from error
    return tuple(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _why(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is in use: choose another with --port, or --port 0 for a free one"
        case errno.EACCES:
            return f"port {port} of {host} needs more rights: choose another with --port, 1024 or higher"
        case number:
            return f"cannot listen on port {port} of {host}: {os.strerror(number or 0)}"


def _listen_on_path(path: Path) -> socket.socket:
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fspath(path))
        path.chmod(_UDS_MODE)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(f"cannot listen on {path}: {error.strerror or error}") from error
    return listener


def _clear(path: Path) -> None:
    """Remove a socket that a killed server left behind, and nothing else."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise CannotListen(f"{path} exists and is not a socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(os.fspath(path))
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CannotListen(f"cannot listen on {path}: {error.strerror or error}") from error
    else:
        raise CannotListen(f"{path} is in use by another server")
