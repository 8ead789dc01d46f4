"""Subtitle files that lie beside a film, and what their names say: `film.en.forced.srt` for `film.mkv`.

The words between the film's name and the suffix are those that Kodi, Plex and Jellyfin know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fileserver.media.subtitles.files import SUFFIXES

SUBFOLDERS = ("Subs", "Subtitles", "subs", "subtitles")
"""Where subtitles of a film may lie beside it."""

_MAX_WORDS = 6
_TAG = re.compile(r"[a-z]{2}(-[a-z0-9]{2,8}){0,3}", re.IGNORECASE)  # of BCP 47; words of three letters are others
_NUMBER = re.compile(r"\d{1,3}[_ .-]+")  # as in `2_English.srt`
_FORCED = frozenset({"forced", "foreign"})
_DEFAULT = frozenset({"default"})
_FOR_THE_DEAF = frozenset({"sdh", "cc", "hi"})

_LANGUAGES: Mapping[str, str] = {
    "arabic": "ar",
    "chinese": "zh",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hungarian": "hu",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "norwegian": "no",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "spanish": "es",
    "swedish": "sv",
    "turkish": "tr",
    "ukrainian": "uk",
}
_OTHERWISE_SHORT = frozenset({"chinese", "greek", "japanese", "portuguese", "romanian"})
_SHORT: Mapping[str, str] = {
    **{name[:3]: tag for name, tag in _LANGUAGES.items() if name not in _OTHERWISE_SHORT},
    "chi": "zh",
    "zho": "zh",
    "cze": "cs",
    "ces": "cs",
    "dut": "nl",
    "nld": "nl",
    "fra": "fr",
    "fre": "fr",
    "deu": "de",
    "ell": "el",
    "gre": "el",
    "jpn": "ja",
    "por": "pt",
    "ron": "ro",
    "rum": "ro",
    "spa": "es",
    "swe": "sv",
    "heb": "he",
    "nor": "no",
    "und": "",
    "chs": "zh-Hans",
    "cht": "zh-Hant",
}
"""ISO 639-2 as files have it, to the shortest tag, which is what BCP 47 wants and browsers show by name."""


@dataclass(frozen=True, slots=True)
class SidecarName:
    """What the name of a subtitle file says. `language` is a tag of BCP 47, empty where it is not said."""

    suffix: str
    language: str = ""
    label: str = ""
    is_forced: bool = False
    is_default: bool = False


def sidecar_name(film: str, name: str) -> SidecarName | None:
    """What the name of a file says that belongs to a film of this name; None where it does not.

    >>> sidecar_name("film.mkv", "film.en-US.forced.srt")
    SidecarName(suffix='srt', language='en-US', label='en-US, forced', is_forced=True, is_default=False)
    >>> sidecar_name("film.mkv", "film 2.srt"), sidecar_name("film.mkv", "film.nfo")
    (None, None)
    """
    stem = film.rpartition(".")[0] or film
    return words_of(name[len(stem) :].removeprefix(".")) if name.startswith(f"{stem}.") else None


def split_address(path: str) -> tuple[str, str]:
    """The film and the name of a subtitle file, of a path in which `subtitles` stands between them.

    A folder above the film may be called so too, and one beside it that the file is in.

    >>> split_address("subtitles/film.mkv/subtitles/Subs/film.srt")
    ('subtitles/film.mkv', 'Subs/film.srt')
    >>> split_address("films/film.mkv/subtitles/subtitles/film.srt")
    ('films/film.mkv', 'subtitles/film.srt')
    """
    film, _, name = path.rpartition("/subtitles/")
    is_in_folder = film.endswith("/subtitles")
    return (film.removesuffix("/subtitles"), f"subtitles/{name}") if is_in_folder else (film, name)


def words_of(words: str) -> SidecarName | None:
    """What the words of a name say, without the film's own; None where it is no subtitle file.

    >>> words_of("2_English.srt")
    SidecarName(suffix='srt', language='en', label='English', is_forced=False, is_default=False)
    >>> words_of("Directors Commentary.ger.SDH.ass").label
    'Directors Commentary, de, SDH'
    """
    before, _, suffix = words.rpartition(".")
    if suffix.lower() not in SUFFIXES:
        return None
    language, labels = "", list[str]()
    is_forced = is_default = False
    for word in _NUMBER.sub("", before, count=1).split(".")[:_MAX_WORDS]:
        folded = word.strip().lower()
        if not language and (found := _language_of(folded, word.strip())) is not None:
            language = found
            labels += [word.strip() if folded in _LANGUAGES else found]
        elif folded in _DEFAULT:
            is_default = True
        elif folded:
            is_forced |= folded in _FORCED
            labels.append(folded.upper() if folded in _FOR_THE_DEAF else word.strip())
    return SidecarName(suffix.lower(), language, ", ".join(filter(None, labels)), is_forced, is_default)


def _language_of(folded: str, word: str) -> str | None:
    """The tag of a word that names a language; None for any other. `hi` is Hindi where no other language was named."""
    if folded in _LANGUAGES:
        return _LANGUAGES[folded]
    if folded in _SHORT:
        return _SHORT[folded]
    tag = word.replace("_", "-")
    return tag if _TAG.fullmatch(tag) and folded != "cc" else None
