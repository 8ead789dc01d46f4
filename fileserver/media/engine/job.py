"""What a worker does: one derivative of one file, written into a file of its own.

`prepare` is called once in the process that workers are forked from, `run` when a job is there.
"""

import importlib
import os
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, Protocol, TypeAlias

import av

from fileserver.media.engine.conversion.transcode import transcoded_init, transcoded_segment
from fileserver.media.engine.facts.describe import describe
from fileserver.media.engine.pictures import stills
from fileserver.media.engine.pictures.cover import cover
from fileserver.media.engine.pictures.pictures import thumbnail
from fileserver.media.engine.pictures.stills import preview
from fileserver.media.engine.pictures.storyboard import storyboard
from fileserver.media.engine.sound.wav import wav, wav_facts
from fileserver.media.engine.sound.waveform import waveform
from fileserver.media.engine.source import Source
from fileserver.media.engine.streaming.index import index
from fileserver.media.engine.streaming.segments import segment
from fileserver.media.engine.streaming.subtitles import subtitle_segment, subtitles
from fileserver.media.faults import DamagedMedia, MediaFault

Kind: TypeAlias = Callable[[Source, Mapping[str, Any], BinaryIO], None]
"""Writes a derivative of a file by the terms of its job. Raises MediaFault."""

KINDS: Mapping[str, Kind] = {
    "cover": cover,
    "describe": describe,
    "index": index,
    "preview": preview,
    "segment": segment,
    "storyboard": storyboard,
    "subtitle_segment": subtitle_segment,
    "subtitles": subtitles,
    "thumbnail": thumbnail,
    "transcoded_init": transcoded_init,
    "transcoded_segment": transcoded_segment,
    "waveform": waveform,
    "wav": wav,
    "wav_facts": wav_facts,
}

_NEEDLESS = frozenset({"av.__main__", "av.datasets"})


class Channel(Protocol):
    """The worker's end: the open files of the job, and what it tells."""

    files: Mapping[str, int]

    def tell(self, message: Mapping[str, Any]) -> None:
        """Say something to the server."""


def prepare() -> None:
    """Load what every worker needs: in `run` no file is within reach, and PyAV loads its parts when they are used."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in _NEEDLESS:
            importlib.import_module(module.name)
    stills.prepare()


def warm() -> None:
    """Nothing takes time that needs no job."""


def run(_state: None, spec: Mapping[str, Any], channel: Channel) -> None:
    """Do a job; the message says how it ended. What is no fault of the file ends the process."""
    source = Source(channel.files["source"], os.fstat(channel.files["source"]).st_size, spec["media_type"])
    try:
        with open(channel.files["product"], "wb", closefd=False) as product:
            KINDS[spec["kind"]](source, spec["terms"], product)
    except MediaFault as fault:
        channel.tell(_failed(fault))
    except av.error.FFmpegError:  # its words may quote the file
        channel.tell(_failed(DamagedMedia("the file breaks off, or its bytes are not what its kind of file has here")))
    else:
        channel.tell({"type": "done"})


def _failed(fault: MediaFault) -> Mapping[str, str]:
    return {"type": "failed", "code": fault.code, "detail": fault.detail}
