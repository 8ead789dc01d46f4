"""How a track of sound is announced in MP4: its sample entry, and its name in a `codecs` parameter. Pure.

Sources: ISO/IEC 14496-12 s.12.2.3 (AudioSampleEntry), 14496-14 s.6.7.2 (`mp4a`, `esds`), 14496-3 s.1.6.2
(AudioSpecificConfig), "Encapsulation of Opus in ISO Base Media File Format" 0.8.1, "Encapsulation of FLAC in ISO Base
Media File Format" 1.0.1, RFC 6381 s.3.3.
"""

from dataclasses import dataclass
from typing import Final

from fileserver.media.fmp4.boxes import box, full_box

AAC_RATES: Final = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""Samples a second by their index in an AudioSpecificConfig (ISO/IEC 14496-3 table 1.18)."""

_CHANNELS_OF = (0, 1, 2, 3, 4, 5, 6, 8)
"""How many channels a configuration of 1 to 7 means (table 1.19); 0 says it elsewhere."""

_LC, _SBR, _PS = 2, 5, 29
_ESCAPED_RATE = 15
_SHORT_FRAMES = frozenset({1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23})
"""The object types whose GASpecificConfig begins with the flag of 960 samples (s.4.4.1)."""

_LONGEST_CONFIG = 1024
"""An AudioSpecificConfig takes 2 to 30 bytes; of a stranger's file no more is repeated than this."""


@dataclass(frozen=True, slots=True)
class AacConfig:
    """What an AudioSpecificConfig says. `rate` is the core's, before SBR doubles it, and frames are counted in it."""

    object_type: int
    rate: int
    channels: int
    frame_size: int

    @property
    def codecs(self) -> str:
        """RFC 6381's name for it."""
        return f"mp4a.40.{self.object_type}"


class UnknownConfig(ValueError):
    """The bytes are no announcement of the kind that they were taken for."""


def audio_entry(codec_name: str, extradata: bytes, sample_rate: int, channels: int) -> bytes:
    """The sample entry of a track: `mp4a`, `Opus` or `fLaC`. Raises UnknownConfig.

    `extradata` is what FFmpeg calls so: an AudioSpecificConfig, an OpusHead, a STREAMINFO.
    """
    match codec_name:
        case "aac":
            aac_config(extradata)
            return _entry(b"mp4a", channels, sample_rate, _esds(0x40, extradata))
        case "opus":
            return _entry(b"Opus", channels, 48000, _dops(extradata))
        case "flac":
            return _entry(b"fLaC", channels, _told_rate(sample_rate), _dfla(extradata))
    raise UnknownConfig(f"no entry is known for {codec_name}")


def audio_codecs(codec_name: str, extradata: bytes) -> str:
    """RFC 6381's name for a track that `audio_entry` knows. Raises UnknownConfig.

    >>> audio_codecs("aac", bytes.fromhex("1190")), audio_codecs("aac", bytes.fromhex("2b1188"))
    ('mp4a.40.2', 'mp4a.40.5')
    >>> audio_codecs("flac", b"")
    'fLaC'
    """
    if codec_name == "aac":
        return aac_config(extradata).codecs
    try:
        return {"opus": "opus", "flac": "fLaC"}[codec_name]
    except KeyError:
        raise UnknownConfig(f"no name is known for {codec_name}") from None


def made_aac_config(rate: int, channels: int, *, object_type: int = _LC) -> bytes:
    """The AudioSpecificConfig of AAC of 1,024 samples a frame: LC, or with SBR (5), PS (29), told explicitly.

    With either the extension's rate is twice `rate`, and `channels` are the core's (s.1.6.5.2).

    >>> made_aac_config(48000, 2).hex(), made_aac_config(24000, 2, object_type=5).hex()
    ('1190', '2b118800')
    """
    configuration = _CHANNELS_OF.index(channels)
    index = AAC_RATES.index(rate)
    if object_type == _LC:
        return (_LC << 11 | index << 7 | configuration << 3).to_bytes(2)
    fields = object_type << 27 | index << 23 | configuration << 19 | AAC_RATES.index(rate * 2) << 15 | _LC << 10
    return fields.to_bytes(4)


def aac_config(extradata: bytes) -> AacConfig:
    """What an AudioSpecificConfig says. Raises UnknownConfig.

    >>> aac_config(bytes.fromhex("1190"))
    AacConfig(object_type=2, rate=48000, channels=2, frame_size=1024)
    >>> aac_config(bytes.fromhex("2b118800"))
    AacConfig(object_type=5, rate=24000, channels=2, frame_size=1024)
    """
    if not 2 <= len(extradata) <= _LONGEST_CONFIG:
        raise UnknownConfig("an AudioSpecificConfig has two bytes or a few more")
    bits = _Bits(extradata)
    object_type = told = _object_type(bits)
    rate = _rate(bits)
    configuration = bits.take(4)
    if told in {_SBR, _PS}:
        _rate(bits)
        object_type = _object_type(bits)
    if configuration >= len(_CHANNELS_OF):
        raise UnknownConfig("its channels are of no known configuration")
    is_short = object_type in _SHORT_FRAMES and bits.take(1) == 1
    return AacConfig(told, rate, _CHANNELS_OF[configuration], 960 if is_short else 1024)


class _Bits:
    """Bits of a few bytes, the highest first; past the end there are zeros, as decoders read it."""

    def __init__(self, content: bytes) -> None:
        self._content = int.from_bytes(content + bytes(8))
        self._left = (len(content) + 8) * 8

    def take(self, count: int) -> int:
        if self._left < count:
            raise UnknownConfig("it breaks off")
        self._left -= count
        return self._content >> self._left & ((1 << count) - 1)


def _object_type(bits: _Bits) -> int:
    object_type = bits.take(5)
    return 32 + bits.take(6) if object_type == 31 else object_type


def _rate(bits: _Bits) -> int:
    index = bits.take(4)
    rate = bits.take(24) if index == _ESCAPED_RATE else AAC_RATES[index] if index < len(AAC_RATES) else 0
    if not rate:
        raise UnknownConfig("its rate is not known")
    return rate


def _told_rate(rate: int) -> int:
    """A rate that 16 bits hold: above them the largest that divides it (FLAC in ISOBMFF s.3.3.2; STREAMINFO rules).

    >>> _told_rate(44100), _told_rate(96000), _told_rate(192000)
    (44100, 48000, 48000)
    """
    while rate > 0xFFFF:
        rate //= 2
    return rate


def _entry(kind: bytes, channels: int, rate: int, *boxes: bytes) -> bytes:
    """An AudioSampleEntry of version 0 that points at the first data reference."""
    head = bytes(6) + (1).to_bytes(2) + bytes(8)
    sizes = min(channels, 0xFFFF).to_bytes(2) + (16).to_bytes(2) + bytes(4)
    return box(kind, head, sizes, (min(rate, 0xFFFF) << 16).to_bytes(4), *boxes)


def _esds(object_type_indication: int, config: bytes) -> bytes:
    """ISO/IEC 14496-1 s.7.2.6: an ES descriptor around a decoder's; buffer and bit rates are left unsaid."""
    specific = _descriptor(0x05, config) if config else b""
    decoder = _descriptor(0x04, bytes([object_type_indication, 0x15]) + bytes(11) + specific)
    return full_box(b"esds", 0, 0, _descriptor(0x03, bytes(3) + decoder + _descriptor(0x06, b"\x02")))


def _descriptor(tag: int, content: bytes) -> bytes:
    """A tag, a length of four bytes of seven bits each, and the content."""
    size = len(content)
    return bytes([tag, *(0x80 | size >> shift & 0x7F for shift in (21, 14, 7)), size & 0x7F]) + content


def _dops(head: bytes) -> bytes:
    """The OpusHead of RFC 7845 s.5.1 as a `dOps`: other byte order, version 0."""
    if len(head) < 19 or not head.startswith(b"OpusHead"):
        raise UnknownConfig("it is no OpusHead")
    channels, family = head[9], head[18]
    mapping = head[19 : 21 + channels] if family else b""
    if family and len(mapping) != 2 + channels:
        raise UnknownConfig("the channel mapping of an OpusHead breaks off")
    numbers = bytes((head[11], head[10], *head[15:11:-1], head[17], head[16]))
    return box(b"dOps", b"\x00", bytes([channels]), numbers, bytes([family]), mapping)


def _dfla(streaminfo: bytes) -> bytes:
    """A `dfLa` with STREAMINFO as its only, and therefore last, metadata block."""
    if len(streaminfo) < 34:
        raise UnknownConfig("it is no STREAMINFO")
    return full_box(b"dfLa", 0, 0, b"\x80", (34).to_bytes(3), streaminfo[:34])
