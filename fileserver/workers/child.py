"""The life of a forked worker: limit itself, get warm, take a job, do it, end or wait for the next."""

import faulthandler
import gc
import os
import signal
import socket
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from fileserver.workers import sandbox, wire
from fileserver.workers.channel import Channel
from fileserver.workers.endings import OUT_OF_MEMORY
from fileserver.workers.limits import PoolLimits


class Entry(Protocol):
    """A module that a pool can run. What a job needs is imported by `prepare`: no file is within reach in `run`.

    `prepare` runs once, before the forks; it starts no thread that the work needs. `warm` runs in each worker before it
    has a job and starts no thread at all. `run` gets what `warm` returned.
    """

    prepare: Callable[[], None]
    warm: Callable[[], Any]
    run: Callable[[Any, dict[str, Any], Channel], None]


@dataclass(frozen=True, slots=True)
class Birth:
    """What a worker is born with."""

    parent: int
    control: int
    errors: int
    limits: PoolLimits
    layers: frozenset[str]


def live(entry: Entry, birth: Birth) -> NoReturn:
    """Be a worker until the job is done or the server has none. Never returns, and leaves by no exception."""
    code = 1
    try:
        code = _work(entry, birth)
    except MemoryError:
        code = OUT_OF_MEMORY
    except BaseException:
        os.write(2, traceback.format_exc().encode()[-4096:])
    finally:
        os._exit(code)  # no destructor of an engine, no buffer of the zygote


def _work(entry: Entry, birth: Birth) -> int:
    sandbox.die_with_parent(birth.parent)
    _keep_only(birth)
    layers = birth.layers | sandbox.enclose(birth.limits)
    state = entry.warm()
    control = socket.socket(fileno=birth.control)
    received = wire.receive_line(control)
    if received is None:
        return 0
    folder = received[0]["folder"]
    layers |= sandbox.confine(folder)
    os.chdir(folder)
    while received is not None:
        job, descriptors = received
        given = dict(zip(job["names"], descriptors, strict=True))
        channel = Channel(
            input=given.pop("<input>", -1),
            output=given.pop("<output>", -1),
            files=given,
            folder=Path(folder),
            sandbox=layers,
            control=control,
        )
        entry.run(state, job["spec"], channel)
        if job["is_last"]:
            break
        for descriptor in descriptors:
            os.close(descriptor)
        received = wire.receive_line(control)
    return 0


def _keep_only(birth: Birth) -> None:
    """Close all that the zygote had open; standard error is the worker's own pipe, which drops what it cannot hold."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.dup2(birth.errors, 2)
    for name in os.listdir("/proc/self/fd"):
        if (descriptor := int(name)) > 2 and descriptor != birth.control:
            _close(descriptor)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    faulthandler.enable(2, all_threads=False)
    gc.enable()


def _close(descriptor: int) -> None:
    try:
        os.close(descriptor)
    except OSError:  # the one that listed them is gone already
        return
