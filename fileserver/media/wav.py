"""The WAV file that a track of lossless sound would be: its header, and how many bytes follow. Pure.

No such file is ever made: a client asks for bytes, and only those are decoded. Sources: "Multimedia Programming
Interface and Data Specifications 1.0" (RIFF WAVE), "Multiple Channel Audio Data and WAVE Files"
(WAVE_FORMAT_EXTENSIBLE), EBU Tech 3306 (RF64, beyond 4 GiB).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import pack
from typing import Any, Final

_MOST_RATE: Final = 1 << 22
_MOST_CHANNELS: Final = 64
_MOST_SAMPLES: Final = 1 << 48
_DEPTHS = frozenset({8, 16, 24, 32, 64})

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_LARGEST_RIFF: Final = 0xFFFFFFFF
_TOLD_ELSEWHERE: Final = 0xFFFFFFFF


class BrokenFacts(ValueError):
    """The bytes tell of no sound that a WAV file can hold."""


@dataclass(frozen=True, slots=True)
class WavFacts:
    """What the header says. `bits` are those of a sample as it is written; `mask` names the speakers, 0 if unknown."""

    sample_rate: int
    channels: int
    bits: int
    samples: int
    mask: int = 0
    is_float: bool = False

    @property
    def block_size(self) -> int:
        """Bytes of one sample of all channels."""
        return self.channels * self.bits // 8

    @property
    def size(self) -> int:
        """Bytes of all samples. They follow the header."""
        return self.samples * self.block_size


def header(facts: WavFacts) -> bytes:
    """All that comes before the samples: 44 bytes, 68 for more than two channels or 16 bits, 36 more beyond 4 GiB.

    >>> [len(header(WavFacts(48000, channels, bits, 10))) for channels, bits in ((2, 16), (2, 24), (6, 16))]
    [44, 68, 68]
    >>> header(WavFacts(44100, 2, 16, 1 << 30))[:4]
    b'RF64'
    """
    layout = _format(facts)
    rest = 12 + len(layout) + facts.size + len(padding(facts))
    if rest <= _LARGEST_RIFF:
        return pack("<4sI4s", b"RIFF", rest, b"WAVE") + layout + pack("<4sI", b"data", facts.size)
    sizes = pack("<4sIQQQI", b"ds64", 28, rest + 36, facts.size, facts.samples, 0)
    return pack("<4sI4s", b"RF64", _TOLD_ELSEWHERE, b"WAVE") + sizes + layout + pack("<4sI", b"data", _TOLD_ELSEWHERE)


def padding(facts: WavFacts) -> bytes:
    """What comes after the samples: chunks are of even length."""
    return b"\0" * (facts.size % 2)


def _format(facts: WavFacts) -> bytes:
    """The chunk that tells how samples are written."""
    kind = _FLOAT if facts.is_float else _PCM
    byte_rate = min(facts.sample_rate * facts.block_size, 0xFFFFFFFF)
    shape = pack("<HIIHH", facts.channels, facts.sample_rate, byte_rate, facts.block_size, facts.bits)
    if facts.channels <= 2 and facts.bits <= 16:
        return pack("<4sIH", b"fmt ", 16, kind) + shape
    extension = pack("<HHIH", 22, facts.bits, facts.mask, kind) + _SUBFORMAT_TAIL
    return pack("<4sIH", b"fmt ", 40, _EXTENSIBLE) + shape + extension


def facts_of(document: Mapping[str, Any]) -> WavFacts:
    """What a worker found, as JSON. Raises BrokenFacts: one that a file has taken over may write anything.

    >>> facts_of({"sample_rate": 48000, "channels": 2, "bits": 16, "samples": 10}).size
    40
    """
    try:
        facts = WavFacts(**document)
    except TypeError as error:
        raise BrokenFacts("they are no facts") from error
    numbers = (facts.sample_rate, facts.channels, facts.bits, facts.samples, facts.mask)
    if any(type(number) is not int for number in numbers) or type(facts.is_float) is not bool:
        raise BrokenFacts("they are no numbers")
    is_known = facts.bits in _DEPTHS and 0 < facts.sample_rate <= _MOST_RATE and 0 < facts.channels <= _MOST_CHANNELS
    if not is_known or not 0 <= facts.samples <= _MOST_SAMPLES or not 0 <= facts.mask <= 0xFFFFFFFF:
        raise BrokenFacts("no sound is like that")
    return facts
