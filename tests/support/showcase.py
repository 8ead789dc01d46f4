"""A folder such as people have: photos, films with subtitles, an album, tables, a log, code, a paper."""

import csv
import math
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image, ImageDraw

_SKIES = (
    ((23, 37, 84), (244, 143, 92)),
    ((94, 160, 214), (226, 240, 250)),
    ((34, 87, 122), (128, 206, 185)),
    ((76, 40, 88), (250, 176, 130)),
    ((12, 20, 40), (60, 110, 150)),
    ((240, 190, 120), (250, 235, 205)),
)
_PLACES = ("Vík", "Skógafoss", "Jökulsárlón", "Akureyri", "Hverir", "Kirkjufell")
_CITIES = ("Köln", "Łódź", "Paris, TX", "São Paulo", "Osaka", "Reykjavík", "Nairobi", "Málaga", "Tromsø", "Hà Nội")
_TRACKS = ("First light", "Harbour", "The long way round", "Snow on the line", "Last train")
_README = """# The shelf at home

Everything that the four of us want to keep. **Photos** go by trip, **films** by title.

- Put new things into *Inbox*; they are sorted on Sundays.
- `Reports/` is what the cabin's sensors send.

| folder | who looks after it |
|---|---|
| Photos | Inga |
| Reports | Tom |
"""
_CODE = '''"""Count the words of a text."""

from collections import Counter
from pathlib import Path


def common_words(path: Path, count: int = 10) -> list[tuple[str, int]]:
    """The most frequent words of a file, the first the most frequent of all."""
    words = path.read_text("utf-8").lower().split()
    return Counter(word.strip(".,;:!?") for word in words).most_common(count)


if __name__ == "__main__":
    for word, seen in common_words(Path("story.txt")):
        print(f"{seen:6} {word}")
'''
_SUBTITLES = (
    "1\n00:00:01,000 --> 00:00:05,000\nThe harbour, early.\n\n2\n00:00:06,000 --> 00:00:12,000\nNobody is up yet.\n"
)


def make_showcase(root: Path, *, rows: int = 20_000) -> Path:
    """Fill a folder, the same each time; `rows` is the length of its table."""
    for folder in ("Photos/Iceland", "Films", "Music/North lines", "Reports", "Code", "Inbox"):
        (root / folder).mkdir(parents=True)
    (root / "README.md").write_text(_README, "utf-8")
    (root / "Code" / "common_words.py").write_text(_CODE, "utf-8")
    random_numbers = random.Random(7)
    for number in range(18):
        place = _PLACES[number % len(_PLACES)]
        _landscape(number, random_numbers).save(
            root / "Photos" / "Iceland" / f"{number + 1:02} {place}.jpg", quality=88
        )
    _table(root / "Reports" / "cabin sensors.csv", rows, random_numbers)
    _log(root / "Reports" / "gateway.log", random_numbers)
    _landscape(3, random_numbers).convert("RGB").save(root / "Reports" / "Insurance.pdf")
    _film(root / "Films" / "Harbour at dawn.mp4", root / "Films" / "Harbour at dawn.en.srt")
    for number, title in enumerate(_TRACKS, 1):
        _track(root / "Music" / "North lines" / f"{number:02} {title}.mp3", number, title)
    return root


def _landscape(number: int, random_numbers: random.Random) -> Image.Image:
    """Hills before a sky."""
    width, height = (1200, 800) if number % 4 else (800, 1200)
    top, bottom = _SKIES[number % len(_SKIES)]
    image = Image.new("RGB", (1, height))
    for y in range(height):
        share = y / height
        image.putpixel((0, y), _mixed(top, bottom, share))
    image = image.resize((width, height))
    draw = ImageDraw.Draw(image)
    radius = height // 14
    sun = (width * random_numbers.uniform(0.2, 0.8), height * random_numbers.uniform(0.2, 0.4))
    draw.ellipse(
        (sun[0] - radius, sun[1] - radius, sun[0] + radius, sun[1] + radius), fill=_mixed(bottom, (255, 250, 235), 0.7)
    )
    for layer in range(5):
        colour = _mixed(bottom, (14, 22, 34), 0.25 + layer * 0.17)
        waves = [(random_numbers.uniform(0.5, 4.0), random_numbers.uniform(0, 6.3)) for _ in range(4)]
        base = height * (0.5 + layer * 0.1)
        ridge = [
            (x, base - sum(math.sin(x / width * rate * 3 + phase) * height * 0.05 / rate for rate, phase in waves))
            for x in range(0, width + 8, 8)
        ]
        draw.polygon([(0, height), *ridge, (width, height)], fill=colour)
    return image


def _mixed(one: tuple[int, int, int], other: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _table(path: Path, rows: int, random_numbers: random.Random) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("reading", "taken_at", "city", "sensor", "celsius", "humidity", "note"))
        for number in range(rows):
            taken = start + timedelta(minutes=7 * number)
            note = "door open" if number % 97 == 0 else ""
            celsius = f"{random_numbers.gauss(8, 6):.1f}"
            humidity = random_numbers.randint(30, 95)
            city = _CITIES[number % len(_CITIES)]
            writer.writerow((f"{number:07}", taken.isoformat(), city, f"S-{number % 12:03}", celsius, humidity, note))


def _log(path: Path, random_numbers: random.Random) -> None:
    start = datetime(2026, 11, 20, 6, tzinfo=UTC)
    levels = ("INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR")
    words = ("connected to hub", "reading stored", "battery at 71 %", "retrying in 5 s", "no answer from S-004")
    lines = (
        f"{(start + timedelta(seconds=3 * number)).isoformat()} {random_numbers.choice(levels):5} gateway: "
        f"{random_numbers.choice(words)}"
        for number in range(600)
    )
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _film(path: Path, subtitles: Path) -> None:
    subtitles.write_text(_SUBTITLES, "utf-8")
    sight = "gradients=s=640x360:r=24:c0=0x16254f:c1=0xf48f5c:c2=0x5ea0d6:n=3:speed=0.02:d=20"
    sound = "sine=frequency=180:duration=20"
    _ffmpeg(
        *("-f", "lavfi", "-i", sight, "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-preset", "ultrafast"),
        *("-pix_fmt", "yuv420p", "-g", "48", "-c:a", "aac", "-metadata", "title=Harbour at dawn", str(path)),
    )


def _track(path: Path, number: int, title: str) -> None:
    cover = path.parent / "cover.jpg"
    if not cover.exists():
        _landscape(4, random.Random(1)).resize((500, 500)).save(cover)
    sound = f"sine=frequency={180 + 40 * number}:duration=30,tremolo=f=0.4"
    tags = {"title": title, "artist": "Inga & Tom", "album": "North lines", "track": str(number)}
    given = [part for name, value in tags.items() for part in ("-metadata", f"{name}={value}")]
    _ffmpeg(
        *("-f", "lavfi", "-i", sound, "-i", str(cover), "-map", "0:a", "-map", "1:v", "-c:a", "libmp3lame"),
        *("-disposition:v", "attached_pic", *given, str(path)),
    )


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(("ffmpeg", "-nostdin", "-v", "error", "-y", *arguments), check=True)
