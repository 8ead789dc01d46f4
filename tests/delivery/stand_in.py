"""A stand-in for the engine: a real worker's job that speaks its messages, and does what the lines of the table say.

The first line is the header; all lines come out as they went in, 64 KiB at a time, but for those that begin with `!`:

    !plan       the plan is at fault, before anything came out        !row      so is this row
    !reject     the row is rejected                                   !enough   take no more, and be done
    !hang       do nothing any more                                   !die      end without a word
    !flood N    N megabytes come out                                  !spec     what the job was told comes out
    !file NAME  the bytes of another table come out                   !scratch  leave a file in the folder
    !memory     there is not enough of it
"""

import gzip
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fileserver.tables import OutOfMemory, PlanFault, RowFault, TableFault
from fileserver.workers import Channel

_BLOCK = 1 << 16


def prepare() -> None:
    """Nothing has to be loaded."""


def warm() -> None:
    """Nothing has to be opened."""


def run(_state: object, spec: Mapping[str, Any], channel: Channel) -> None:
    """Do the job."""
    job = _Job(spec, channel)
    try:
        job.work()
    except TableFault as fault:
        channel.tell({"type": "failed", **fault.as_message(), "counts": job.counts})
    else:
        channel.tell({"type": "done", **job.counts})
    os.close(channel.output)


class _Enough(Exception):
    """No more of the table is wanted."""


class _Job:
    def __init__(self, spec: Mapping[str, Any], channel: Channel) -> None:
        self.counts = {"rows_in": 0, "rows_out": 0, "rows_rejected": 0, "blank_lines": 0, "bytes_in": 0}
        self._spec = spec
        self._channel = channel
        self._out = bytearray()
        self._told_s = time.monotonic()

    def work(self) -> None:
        lines = _lines(self._channel.input, self._spec["content_encoding"])
        header = next(lines)
        if header.startswith(b"!plan"):
            raise PlanFault("the stand-in does not like it", "steps[0].where", 3)
        names = header.decode().strip().split(",")
        self._channel.tell({"type": "begun", "columns": names, "dialect": {"delimiter": ","}, "plan": "streaming"})
        self._put(header)
        try:
            for line in lines:
                self.counts["rows_in"] += 1
                self._do(line)
        except _Enough:
            os.close(self._channel.input)
        self._flush()

    def _do(self, line: bytes) -> None:
        self._tell()
        if not line.startswith(b"!"):
            self.counts["rows_out"] += 1
            self._put(line)
            return
        word, _, rest = line.decode().strip().partition(" ")
        _DEEDS[word](self, rest)

    def _tell(self) -> None:
        if time.monotonic() > self._told_s + 0.1:
            self._told_s = time.monotonic()
            self._channel.tell({"type": "progress", **self.counts})

    def _put(self, line: bytes) -> None:
        self._out += line
        if len(self._out) >= _BLOCK:
            self._flush()

    def _flush(self) -> None:
        left = memoryview(bytes(self._out))
        self._out.clear()
        while left:
            left = left[os.write(self._channel.output, left) :]

    def _row(self, _rest: str) -> None:
        raise RowFault("the stand-in does not like this row", self.counts["rows_in"], 7, "a", "!row")

    def _reject(self, rest: str) -> None:
        self.counts["rows_rejected"] += 1
        reject = {"line": 1, "row": self.counts["rows_in"], "column": None, "reason": "asked to", "raw": rest}
        os.write(self._channel.files["rejects"], json.dumps(reject).encode() + b"\n")

    def _enough(self, _rest: str) -> None:
        raise _Enough

    def _hang(self, _rest: str) -> None:
        while True:
            time.sleep(60)

    def _die(self, _rest: str) -> None:
        os._exit(9)

    def _flood(self, rest: str) -> None:
        for _ in range(int(rest) * 16):
            self._put(b"f" * (_BLOCK - 1) + b"\n")

    def _say_spec(self, _rest: str) -> None:
        self._put(json.dumps(self._spec).encode() + b"\n")

    def _file(self, rest: str) -> None:
        while block := os.read(self._channel.files[rest], _BLOCK):
            self._put(block)

    def _scratch(self, _rest: str) -> None:
        (self._channel.folder / "spill").write_bytes(b"s" * _BLOCK)

    def _memory(self, _rest: str) -> None:
        raise OutOfMemory("there is not enough")


_DEEDS: Mapping[str, Callable[[_Job, str], None]] = {
    "!row": _Job._row,
    "!reject": _Job._reject,
    "!enough": _Job._enough,
    "!hang": _Job._hang,
    "!die": _Job._die,
    "!flood": _Job._flood,
    "!spec": _Job._say_spec,
    "!file": _Job._file,
    "!scratch": _Job._scratch,
    "!memory": _Job._memory,
}


def _lines(descriptor: int, coding: str) -> Iterator[bytes]:
    with open(descriptor, "rb", closefd=False) as raw:
        if coding == "gzip":
            with gzip.open(raw) as plain:
                yield from plain
        else:
            yield from raw
