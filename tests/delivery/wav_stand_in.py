"""A stand-in for the engine: a real worker's job whose sound can be told sample by sample.

The stored file is JSON: how many `samples` of two channels there are, whether it `is_lossy`, and from which one on
decoding `fails`, comes out too `short` by one, or `hangs`.
"""

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from fileserver.workers import Channel

BLOCK_SIZE = 4
"""Bytes of a sample of both channels."""


def prepare() -> None:
    """Nothing has to be loaded."""


def warm() -> None:
    """Nothing has to be opened."""


def samples(start: int, count: int) -> bytes:
    """The sound: each sample of each channel is another one for a long time."""
    return b"".join((number * 2654435761 % 4294967291).to_bytes(4, "little") for number in range(start, start + count))


def run(_state: object, spec: Mapping[str, Any], channel: Channel) -> None:
    """Do the job."""
    source, product = channel.files["source"], channel.files["product"]
    told = json.loads(os.pread(source, 1000, 0))
    terms = spec["terms"]
    if told.get("is_lossy"):
        channel.tell({"type": "failed", "code": "cannot-convert", "detail": "the sound is lossy"})
        return
    if spec["kind"] == "wav_facts":
        facts = {"sample_rate": 44_100, "channels": 2, "bits": 16, "samples": told["samples"], "mask": 3}
        os.write(product, json.dumps(facts).encode())
    elif terms["start"] + terms["count"] > told.get("fails", told["samples"]):
        channel.tell({"type": "failed", "code": "damaged-media", "detail": "it breaks off"})
        return
    else:
        if terms["start"] + terms["count"] > told.get("hangs", told["samples"]):
            time.sleep(1000)
        is_short = terms["start"] + terms["count"] > told.get("short", told["samples"])
        os.write(product, samples(terms["start"], terms["count"] - is_short))
    channel.tell({"type": "done"})
