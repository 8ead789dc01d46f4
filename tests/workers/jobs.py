"""An entry module of small jobs, good and bad, for the tests of the pool: the spec's "job" names the function."""

import ctypes
import os
import signal
import sys
import threading
import time
from typing import Any

from fileserver.workers import Channel

_BLOCK = 1 << 20


def prepare() -> None:
    """All is imported."""


def warm() -> str:
    """What a job finds ready."""
    return f"warm in {os.getpid()}"


def run(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Do the job that is named."""
    job = globals()[spec["job"]]
    job(state, spec, channel)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def echo(state: str, spec: dict[str, Any], channel: Channel) -> None:
    channel.tell({"type": "begun", "state": state, "sandbox": sorted(channel.sandbox), "note": spec.get("note")})
    size = 0
    while block := os.read(channel.input, _BLOCK):
        size += len(block)
        _write(channel.output, block)
    channel.tell({"type": "done", "size": size})


def look_around(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Tell what there is, as far as the sandbox lets one look."""
    open_now = [number for number in range(64) if _is_open(number)]
    told = {"open": open_now, "environment": sorted(os.environ), "cwd": os.getcwd(), "files": sorted(channel.files)}
    channel.tell({"type": "done", **told, "threads": _threads(spec.get("threads", 0))})


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _threads(count: int) -> int:
    ran: list[int] = []
    threads = [threading.Thread(target=ran.append, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(ran)


def use_folder(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Write, read, rename, list and remove in the folder."""
    (channel.folder / "inner").mkdir()
    (channel.folder / "inner" / "a").write_text("spilled")
    (channel.folder / "inner" / "a").rename(channel.folder / "inner" / "b")
    text = (channel.folder / "inner" / "b").read_text()
    names = os.listdir(channel.folder / "inner")
    (channel.folder / "inner" / "b").unlink()
    (channel.folder / "inner").rmdir()
    (channel.folder / "left").write_text(text)
    channel.tell({"type": "done", "text": text, "names": names})


def thread_in_sandbox(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """A thread of the job is held by the sandbox as its first one is."""
    found: list[str] = []

    def read() -> None:
        try:
            with open("/etc/passwd"):
                found.append("escaped")
        except PermissionError:
            found.append("refused")

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    channel.tell({"type": "done", "found": found[0]})


def append(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Write to each file that was handed over, and pass the input on."""
    for name, descriptor in channel.files.items():
        _write(descriptor, f"{name}\n".encode())
    echo(state, spec, channel)


def read_nothing(state: str, spec: dict[str, Any], channel: Channel) -> None:
    time.sleep(1000)


def close_input(state: str, spec: dict[str, Any], channel: Channel) -> None:
    os.close(channel.input)
    channel.tell({"type": "begun"})
    time.sleep(spec.get("seconds", 0))


def close_output(state: str, spec: dict[str, Any], channel: Channel) -> None:
    _write(channel.output, b"half")
    os.close(channel.output)
    channel.tell({"type": "done"})


def flood(state: str, spec: dict[str, Any], channel: Channel) -> None:
    while True:
        _write(channel.output, bytes(_BLOCK))


def chatter(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Say far more than anyone hears, then that it is done."""
    for number in range(20_000):
        channel.tell({"type": "progress", "rows": number})
    channel.tell({"type": "done"})


def shout(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Say a thing without an end."""
    while True:
        os.write(channel.control.fileno(), b"x" * 4096)


def babble(state: str, spec: dict[str, Any], channel: Channel) -> None:
    os.write(channel.control.fileno(), b"no message\n")
    time.sleep(1000)


def spin(state: str, spec: dict[str, Any], channel: Channel) -> None:
    if spec.get("is_deaf"):
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def drain(channel: Channel) -> None:
    """Read the input to its end."""
    while os.read(channel.input, _BLOCK):
        pass


def sleep_over_all_input(state: str, spec: dict[str, Any], channel: Channel) -> None:
    drain(channel)
    time.sleep(1000)


def ponder(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Have a thread compute for some seconds of its own time, once all input is there."""
    drain(channel)

    def compute() -> None:
        while time.thread_time() < spec["seconds"]:
            pass

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    channel.tell({"type": "done"})


def drip(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Give a byte now and then, by no work to speak of, before the input is looked at."""
    for _ in range(20):
        time.sleep(0.1)
        _write(channel.output, b".")
    drain(channel)
    channel.tell({"type": "done"})


def explain(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Say more than fits, all of it important."""
    drain(channel)
    for number in range(1000):
        channel.tell({"type": "word", "number": number, "padding": "x" * 1000})
    channel.tell({"type": "done"})


def grow(state: str, spec: dict[str, Any], channel: Channel) -> None:
    held: list[bytearray] = []
    while True:
        held.append(bytearray(16 << 20))


def abort_without_memory(state: str, spec: dict[str, Any], channel: Channel) -> None:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def crash(state: str, spec: dict[str, Any], channel: Channel) -> None:
    ctypes.string_at(0)


def fail(state: str, spec: dict[str, Any], channel: Channel) -> None:
    raise ValueError("the job is wrong")


def leave(state: str, spec: dict[str, Any], channel: Channel) -> None:
    os._exit(7)


def complain(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """Write more to standard error than anyone will read."""
    for _ in range(10_000):
        try:
            os.write(2, b"warning " * 16)
        except BlockingIOError:
            break
    print("and more", file=sys.stdout)
    channel.tell({"type": "done"})


def start_threads(state: str, spec: dict[str, Any], channel: Channel) -> None:
    """As many threads as may be."""
    forever = threading.Event()
    count = 0
    try:
        while True:
            threading.Thread(target=forever.wait, daemon=True).start()
            count += 1
    except (RuntimeError, MemoryError):
        channel.tell({"type": "done", "threads": count})
