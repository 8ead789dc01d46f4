"""Films, songs and pictures with damage of every kind, some KB each, the same every time."""

import random
from pathlib import Path

from tests.support.media_files import ffmpeg, made

_FILMS = "index-at-end.mp4 fragmented.mp4 h264-ac3.mkv languages.mkv vp9-opus.webm av1-opus.mp4 h264-aac.ts hevc-ac3.ts"
_OLD_FILMS = "mpeg4-mp3.avi h264-aac.flv wmv2-wma.wmv mpeg1-mp2.mpg theora-vorbis.ogv"
_SONGS = "song.mp3 song.flac song.opus song.wav alac.m4a book.m4b song.aac"
_BASES = (*_FILMS.split(), *_OLD_FILMS.split(), *_SONGS.split())
_PICTURES = ("png", "jpg", "webp", "gif", "bmp", "tiff", "avif")
_LENGTH_S = 1
_PARTS = (
    "",
    "hls/master.m3u8",
    "hls/v0/init.mp4",
    "hls/v0/0.m4s",
    "hls/a1/index.m3u8",
    "hls/a1/0.m4s",
    "hls/a0/0.m4s",
    "poster",
    "thumbnail?t=0.5",
    "storyboard.webp",
    "waveform.json?pixels=50",
    "cover",
    "wav/song.wav",
    "subtitles/s3.vtt",
    "chapters.vtt",
    "faststart/film.mp4",
    "play.m3u",
)
"""As many as no number of kinds of files divides, so that every kind is asked for each."""


def damaged_files(count: int, folder: Path, root: Path) -> list[str]:
    """Make so many, some KB each, the same ones every time; their names in order."""
    bases = _small(folder)
    chance = random.Random(7)
    names = []
    for number in range(count):
        name = list(bases)[number % len(bases)]
        names.append(f"{number:04}-{name}")
        (root / names[-1]).write_bytes(_damaged(bases[name], chance))
    return names


def _small(folder: Path) -> dict[str, bytes]:
    """A second of each kind of film and song, and pictures."""
    small = folder / "small"
    small.mkdir(exist_ok=True)
    for name in _BASES:
        ffmpeg("-i", made(name, folder), "-t", str(_LENGTH_S), "-map", "0", "-dn", "-c", "copy", small / name)
    for kind in _PICTURES:
        ffmpeg(
            "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=1:duration=1", "-frames:v", "1", small / f"picture.{kind}"
        )
    return {path.name: path.read_bytes() for path in sorted(small.iterdir())}


def _damaged(content: bytes, chance: random.Random) -> bytes:
    """One to three injuries: bits, a run of bytes, a number too large, a piece gone, doubled or cut off."""
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        chance.choice((_flip, _overwrite, _enlarge, _cut_out, _double, _truncate))(damaged, chance)
    return bytes(damaged)


def _place(damaged: bytearray, chance: random.Random) -> int:
    """Two of three within the first KB, where headers are; MP4 has them at the end too."""
    near = chance.choice((1024, 1024, len(damaged)))
    place = chance.randrange(min(near, len(damaged)))
    return len(damaged) - 1 - place if chance.random() < 0.2 else place


def _flip(damaged: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 20)):
        damaged[_place(damaged, chance)] ^= 1 << chance.randrange(8)


def _overwrite(damaged: bytearray, chance: random.Random) -> None:
    place = _place(damaged, chance)
    run = chance.randbytes(min(chance.randint(1, 64), len(damaged) - place))
    damaged[place : place + len(run)] = run


def _enlarge(damaged: bytearray, chance: random.Random) -> None:
    place = _place(damaged, chance) & ~3
    number = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x00", b"\x80\x00\x00\x00"))
    damaged[place : place + 4] = number


def _cut_out(damaged: bytearray, chance: random.Random) -> None:
    place = _place(damaged, chance)
    del damaged[place : place + chance.randint(1, 200)]
    damaged.extend(b"\0" * (16 - min(16, len(damaged))))


def _double(damaged: bytearray, chance: random.Random) -> None:
    place = _place(damaged, chance)
    damaged[place:place] = damaged[place : place + chance.randint(1, 2000)]


def _truncate(damaged: bytearray, chance: random.Random) -> None:
    del damaged[max(16, int(len(damaged) * chance.random())) :]


def part_of(name: str, number: int) -> str:
    """One of the things that clients ask about such a file, below `/media/`: by turns."""
    if "-picture." in name:
        return f"{name}/preview?width=64"
    return f"{name}/{_PARTS[number % len(_PARTS)]}".rstrip("/")
