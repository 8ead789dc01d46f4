"""Files with their index at the end, as players see them: with the index in front."""

import hashlib
import os
import random
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fileserver.media import faststart
from fileserver.media.faststart import planned
from fileserver.media.layout import Layout
from tests.media.conftest import MediaFile
from tests.support.boxes import (
    CHUNKS,
    FILE_TYPE,
    MEDIA,
    OTHER_DATA,
    box,
    index,
    large_box,
    movie,
    offsets,
    told_offsets,
    track,
)


def layout_of(content: bytes) -> Layout:
    """What `planned` comes to when it is shown this file."""
    return shown(len(content), lambda span: content[span.start : span.stop])


def layout_of_file(path: Path) -> Layout:
    """The same for a file that is too large for memory."""
    with path.open("rb") as file:
        return shown(path.stat().st_size, lambda span: os.pread(file.fileno(), len(span), span.start))


def shown(size: int, read: Callable[[range], bytes]) -> Layout:
    """What `planned` comes to; it must never look past the file's end."""
    asking = planned(size)
    answer: bytes | None = None
    while True:
        try:
            span = next(asking) if answer is None else asking.send(answer)
        except StopIteration as end:
            layout: Layout = end.value
            return layout
        assert 0 <= span.start < span.stop <= size
        answer = read(span)


def joined(layout: Layout, content: bytes) -> bytes:
    """The virtual file whole."""
    return b"".join(part if isinstance(part, bytes) else content[part.start : part.stop] for part in layout.pieces)


def kinds_of(content: bytes) -> list[bytes]:
    """The boxes of a file, in their order."""
    kinds, position = [], 0
    while position + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, position)
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, position + 8)
        kinds.append(kind)
        position += size or len(content)
    return kinds


@pytest.mark.parametrize("name", ["index-at-end.mp4", "h264-aac.mov", "h264-pcm.mov", "languages.mp4", "alac.m4a"])
def test_every_packet_is_the_same_and_the_index_is_in_front(media_file: MediaFile, tmp_path: Path, name: str) -> None:
    stored = media_file(name)
    content = stored.read_bytes()
    virtual = tmp_path / stored.name
    virtual.write_bytes(joined(layout_of(content), content))
    kinds = kinds_of(virtual.read_bytes())
    assert kinds.index(b"moov") < kinds.index(b"mdat")
    assert sorted(kinds) == sorted(kinds_of(content))
    assert virtual.stat().st_size == stored.stat().st_size
    assert packets(virtual) == packets(stored)


@pytest.mark.parametrize("name", ["index-at-front.mp4", "fragmented.mp4", "h264-aac.mkv", "song.flac", "song.wav"])
def test_what_needs_no_move_or_allows_none_is_left_as_it_is(media_file: MediaFile, name: str) -> None:
    size = media_file(name).stat().st_size
    assert layout_of(media_file(name).read_bytes()) == Layout((range(size),))


@pytest.mark.parametrize(
    "content",
    [
        movie(),
        movie(tracks=0),
        movie(tracks=5, width=8),
        movie(box(b"free", bytes(50)), box(b"wide"), box(b"uuid", bytes(30))),
        movie(box(b"meta", bytes(4), box(b"hdlr", bytes(25)), box(b"xml ", b"<a/>"))),
        movie() + box(b"free", bytes(99)),
        movie() + box(b"mdat", b"some more"),
        movie() + bytes(5),
        movie() + bytes(40),
    ],
)
def test_all_offsets_lead_to_the_same_bytes(content: bytes) -> None:
    layout = layout_of(content)
    virtual = joined(layout, content)
    assert kinds_of(virtual)[:2] == [b"ftyp", b"moov"]
    assert layout.size == len(virtual) == len(content)
    assert bytes_there(virtual) == bytes_there(content)


def test_media_data_behind_the_index_stay_where_they_are() -> None:
    start = len(FILE_TYPE) + 16
    before = FILE_TYPE + box(b"mdat", b"8 bytes.")
    size = len(index(track(offsets([0, 0]))))
    content = before + index(track(offsets([start - 8, start + size + 10]))) + box(b"mdat", b"other data")
    virtual = joined(layout_of(content), content)
    assert [virtual[place : place + 3] for place in told_offsets(virtual)] == [b"8 b", b"her"]


def test_a_file_without_a_type_begins_with_its_index() -> None:
    content = box(b"wide") + box(b"mdat", MEDIA) + index(track(offsets([16 + chunk for chunk in CHUNKS])))
    virtual = joined(layout_of(content), content)
    assert kinds_of(virtual) == [b"moov", b"wide", b"mdat"]
    assert bytes_there(virtual) == bytes_there(content)


def test_an_index_that_goes_on_to_the_end_gets_a_size() -> None:
    closed = movie()
    at = closed.index(b"moov") - 4
    content = closed[:at] + bytes(4) + closed[at + 4 :]
    assert joined(layout_of(content), content) == joined(layout_of(closed), closed)


def test_a_size_of_64_bits_is_understood() -> None:
    head = FILE_TYPE + struct.pack(">I4sQ", 1, b"mdat", 16 + len(MEDIA)) + MEDIA
    table = offsets([len(FILE_TYPE) + 16 + chunk for chunk in CHUNKS])
    content = head + large_box(b"moov", box(b"mvhd", bytes(100)), track(table))
    virtual = joined(layout_of(content), content)
    assert kinds_of(virtual) == [b"ftyp", b"moov", b"mdat"]
    assert bytes_there(virtual) == bytes_there(content)


EDGE = 1 << 32


def test_offsets_pushed_past_4_gib_get_eight_bytes_and_the_length_says_so() -> None:
    tables = (offsets([EDGE - 300, EDGE - 50]), offsets([100]), offsets([EDGE + 1000], width=8))
    content = large_box(b"moov", *map(track, tables))
    size = EDGE + 5000 + len(content)
    boxes = (
        faststart.Box(b"ftyp", 0, 40, 8),
        faststart.Box(b"mdat", 40, EDGE + 5000, 16),
        faststart.Box(b"moov", EDGE + 5000, size, 16),
    )
    layout = faststart.plan(size, boxes, content)
    grown = 4 * 3
    moved = len(content) + grown
    assert layout.size == size + grown
    moov = b"".join(part if isinstance(part, bytes) else content[part.start - EDGE - 5000 : part.stop - EDGE - 5000]
                    for part in layout.parts(range(40, 40 + moved)))  # fmt: skip
    assert kinds_of(moov) == [b"moov"]
    assert (moov.count(b"stco"), moov.count(b"co64")) == (0, 3)
    assert list(told_offsets(moov)) == [each + moved for each in (EDGE - 300, EDGE - 50, 100, EDGE + 1000)]
    assert list(layout.parts(range(40 + moved, layout.size))) == [range(40, EDGE + 5000)]


@pytest.mark.parametrize(("pushed", "kind"), [(0, b"stco"), (1, b"co64")])
def test_offsets_get_eight_bytes_only_where_they_need_them(pushed: int, kind: bytes) -> None:
    content = index(track(offsets([0])))
    last = EDGE - 1 - len(content) + pushed
    content = index(track(offsets([last])))
    boxes = (faststart.Box(b"mdat", 0, EDGE, 16), faststart.Box(b"moov", EDGE, EDGE + len(content), 8))
    pieces = faststart.plan(EDGE + len(content), boxes, content).pieces
    written = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    assert (kind == b"co64") == (kind in written)
    assert written.endswith(struct.pack(">Q", last + len(content) + 4) if pushed else b"\xff" * 4)


def test_offsets_that_no_table_can_tell_are_not_made() -> None:
    content = index(track(offsets([EDGE - 1])), track(offsets([(1 << 64) - 1], width=8)))
    boxes = (faststart.Box(b"mdat", 0, EDGE, 16), faststart.Box(b"moov", EDGE, EDGE + len(content), 8))
    with pytest.raises(faststart.CannotMove):
        faststart.plan(EDGE + len(content), boxes, content)


def test_a_film_around_4_gib_plays_the_same(media_file: MediaFile, tmp_path: Path) -> None:
    """The real thing: a hole before the media data brings them to where only the moved index pushes them over."""
    short = media_file("index-at-end.mp4").read_bytes()
    start = short.index(b"mdat") - 4
    size = struct.unpack_from(">I", short, start)[0]
    hole = EDGE - max(told_offsets(short)) - 10
    moov = bytearray(short[start + size :])
    for table in (at for at in range(len(moov)) if moov[at : at + 4] == b"stco"):
        (count,) = struct.unpack_from(">I", moov, table + 8)
        for entry in range(table + 12, table + 12 + 4 * count, 4):
            struct.pack_into(">I", moov, entry, struct.unpack_from(">I", moov, entry)[0] + hole)
    stored, virtual = tmp_path / "stored.mp4", tmp_path / "virtual.mp4"
    with stored.open("wb") as file:
        file.write(short[:start] + struct.pack(">I4s", hole, b"free"))
        file.seek(start + hole)
        file.write(short[start : start + size] + moov)
    layout = layout_of_file(stored)
    with virtual.open("wb") as file, stored.open("rb") as source:
        for piece in layout.pieces:
            if isinstance(piece, bytes):
                file.write(piece)
                continue
            for part in (piece,) if len(piece) < 1 << 24 else (piece[:1000], piece[start + hole - piece.start :]):
                source.seek(part.start)
                file.seek(part.start - piece.start, 1)
                file.write(source.read(len(part)))
                file.seek(-(part.stop - piece.start), 1)
            file.seek(len(piece), 1)
    assert virtual.stat().st_size == layout.size > stored.stat().st_size
    assert packets(virtual) == packets(stored)


TABLE = offsets([100])
START = FILE_TYPE + box(b"mdat", MEDIA)
LYING = box(b"stco", bytes(4), struct.pack(">II", 3, 100))
ITEMS = box(b"meta", bytes(4), box(b"hdlr", bytes(25)), box(b"iloc", bytes(20)))
QUICKTIME_ITEMS = box(b"meta", box(b"hdlr", bytes(25)), box(b"iloc", bytes(20)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0\10mo",
        b"not a movie at all, but rather long",
        bytes(100),
        START,
        START + index(track(TABLE))[:-1],
        START + index(track(TABLE)) + index(track(TABLE)),
        START + index(track(TABLE)) + box(b"moof"),
        START + box(b"moof", bytes(99)) + index(track(TABLE)),
        START + index(track(TABLE), box(b"mvex", bytes(20))),
        START + index(box(b"cmov", bytes(20))),
        START + index(box(b"rmra", bytes(20))),
        START + index(track(TABLE, data=OTHER_DATA)),
        START + index(track(TABLE, box(b"saio", bytes(12)))),
        START + index(track(LYING)),
        START + index(track(box(b"stco", bytes(4)))),
        START + index(track(TABLE), ITEMS),
        START + index(track(TABLE), QUICKTIME_ITEMS),
        START + index(track(TABLE), box(b"udta", ITEMS)),
        START + ITEMS + index(track(TABLE)),
        START + box(b"meco", ITEMS) + index(track(TABLE)),
        START + index(track(TABLE) + b"\0\0\0\7trak"),
        START + index(track(TABLE)) + box(b"moov"),
        START + box(b"free") * faststart.MOST_BOXES + index(track(TABLE)),
        START + index(box(b"free") * faststart.MOST_INNER_BOXES),
        START + box(b"meta", bytes(faststart.LARGEST_META + 1)) + index(track(TABLE)),
        START + index(track(offsets([100] * (faststart.LARGEST_TABLES // 4 + 1)))),
    ],
)
def test_a_file_that_cannot_be_moved_for_sure_is_left_as_it_is(content: bytes) -> None:
    assert joined(layout_of(content), content) == content


def test_an_index_of_any_size_is_not_read_whole() -> None:
    asking = planned(1 << 40)
    size = faststart.LARGEST_INDEX + 1
    assert next(asking) == range(16)
    assert asking.send(struct.pack(">I4sQ", 1, b"mdat", (1 << 40) - size)) == range(
        (1 << 40) - size, (1 << 40) - size + 16
    )
    with pytest.raises(StopIteration) as end:
        asking.send(struct.pack(">I4s", size, b"moov") + bytes(8))
    assert end.value.value == Layout((range(1 << 40),))


MOVIE = movie(box(b"free", bytes(20)), box(b"meta", bytes(4), box(b"xml ", b"<a/>")))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 700), st.binary(min_size=1, max_size=8)), max_size=4), st.integers(0, 200))
def test_no_change_of_an_index_breaks_the_plan(changes: list[tuple[int, bytes]], cut: int) -> None:
    """Whatever stands there, the virtual file has the length that it announces, made of bytes that exist."""
    content = bytearray(MOVIE)
    index_at = MOVIE.index(b"moov") - 4
    for place, found in changes:
        at = index_at + place if place < 500 else place - 500
        content[at : at + len(found)] = found
    told = bytes(content[: len(content) - cut])
    layout = layout_of(told)
    assert len(joined(layout, told)) == layout.size
    assert all(0 <= part.start < part.stop <= len(told) for part in layout.pieces if isinstance(part, range))


def test_any_span_is_what_the_whole_has_there() -> None:
    content = movie(tracks=3)
    layout = layout_of(content)
    whole = joined(layout, content)
    chance = random.Random(7)
    for _ in range(300):
        start = chance.randrange(len(whole))
        span = range(start, chance.randrange(start, len(whole)) + 1)
        parts = (part if isinstance(part, bytes) else content[part.start : part.stop] for part in layout.parts(span))
        assert b"".join(parts) == whole[span.start : span.stop], span


def packets(path: Path) -> str:
    """Digest of every packet with its stream and times, as FFmpeg reads them."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-map", "0", "-c", "copy", "-f", "framemd5", "-"]
    told = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    assert told.count(b"\n") > 50
    return hashlib.sha256(told).hexdigest()


def bytes_there(content: bytes) -> list[bytes]:
    """Three bytes from each chunk on."""
    return [content[place : place + 3] for place in told_offsets(content)]
