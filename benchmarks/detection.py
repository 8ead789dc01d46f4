"""What files are called: our detection beside python-magic alone, the name's extension alone, and magika.

The corpus is that of the tests. Detection was tuned on two thirds of it and never on the third that is held out. Each
way runs in a process of its own, so its cold start and its memory are its own too.

magika is no dependency of this project: `pip install --target FOLDER magika`, then `--magika FOLDER`.
"""

import argparse
import importlib
import json
import mimetypes
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.type_corpus import Specimen, make_corpus, specimens

Ask = Callable[[Path], str]
Figures = dict[str, float]

_ROUNDS = 3
_PATIENCE_S = 600
_BAR = 0.98
_PACKED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}

WAYS = {
    "ours": "this server",
    "python-magic": "python-magic alone, the same libmagic",
    "extension": "the extension alone, `mimetypes`",
    "magika": "magika",
}


def _ours() -> Ask:
    from fileserver.media import HEAD_SIZE, detect

    def ask(path: Path) -> str:
        with path.open("rb", buffering=0) as file:
            return detect(file.read(HEAD_SIZE), path.name)

    return ask


def _python_magic() -> Ask:
    import pylibmagic  # noqa: F401  # points `magic` to the library that the server uses

    import magic  # isort: skip

    handle = magic.Magic(mime=True)
    return lambda path: str(handle.from_file(str(path)))


def _extension() -> Ask:
    known = mimetypes.MimeTypes()

    def ask(path: Path) -> str:
        media_type, packed = known.guess_type(path.name)
        return _PACKED.get(packed or "", media_type or "application/octet-stream")

    return ask


def _magika() -> Ask:
    model = importlib.import_module("magika").Magika()
    return lambda path: str(model.identify_path(path).output.mime_type)


_STARTS: dict[str, Callable[[], Ask]] = {
    "ours": _ours,
    "python-magic": _python_magic,
    "extension": _extension,
    "magika": _magika,
}


def _measure(way: str, folder: Path, *, is_told: bool) -> Figures:
    """All figures of one way, in this process, which has done nothing else yet."""
    chosen = specimens()
    before_mb, began_s = _resident_mb(), time.perf_counter()
    ask = _STARTS[way]()
    ask(folder / chosen[0].name)
    cold_s = time.perf_counter() - began_s
    answers = {specimen: ask(folder / specimen.name) for specimen in chosen}
    best_s = min(_seconds(ask, folder, chosen) for _ in range(_ROUNDS))
    figures = {
        "tuned on": _share(answers, is_held_out=False),
        "held out": _share(answers, is_held_out=True),
        "files/s": len(chosen) / best_s,
        "cold ms": cold_s * 1000,
        "MB added": _resident_mb() - before_mb,
    }
    if is_told:
        for specimen, answer in answers.items():
            if not specimen.is_right(answer):
                print(f"{way}: {specimen.name} is {specimen.types[0]}, not {answer}", file=sys.stderr)
    return figures


def _seconds(ask: Ask, folder: Path, chosen: tuple[Specimen, ...]) -> float:
    began_s = time.perf_counter()
    for specimen in chosen:
        ask(folder / specimen.name)
    return time.perf_counter() - began_s


def _share(answers: dict[Specimen, str], *, is_held_out: bool) -> float:
    """How much of a part of the corpus was answered right."""
    part = [specimen.is_right(answer) for specimen, answer in answers.items() if specimen.is_held_out == is_held_out]
    return sum(part) / len(part)


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def _in_its_own_process(way: str, folder: Path, arguments: argparse.Namespace) -> Figures | None:
    command = [sys.executable, "-m", "benchmarks.detection", "--way", way, "--folder", str(folder)]
    given = (["--tell"] if arguments.tell else []) + (["--magika", arguments.magika] if arguments.magika else [])
    done = subprocess.run([*command, *given], stdout=subprocess.PIPE, timeout=_PATIENCE_S, check=False)
    if done.returncode:
        print(f"- without {WAYS[way]}: it does not run here", file=sys.stderr)
        return None
    figures: Figures = json.loads(done.stdout)
    return figures


def _show(results: dict[str, Figures]) -> None:
    chosen = specimens()
    held = sum(specimen.is_held_out for specimen in chosen)
    kinds = len({specimen.types[0] for specimen in chosen})
    print(f"\n{len(chosen)} files of {kinds} types, {held} of them held out\n")
    print("| way | tuned on | held out | files/s | cold import and first answer, ms | MB added |")
    print("|---|---:|---:|---:|---:|---:|")
    for way, each in results.items():
        shares = f"{each['tuned on']:.1%} | {each['held out']:.1%}"
        print(f"| {WAYS[way]} | {shares} | {each['files/s']:,.0f} | {each['cold ms']:.0f} | {each['MB added']:.0f} |")
    figure = results["ours"]["held out"]
    print(f"\n- {'met' if figure >= _BAR else 'NOT MET'}: held out, at least {_BAR:.0%}: {figure:.1%}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What files are called: accuracy, speed, cold start, memory.")
    parser.add_argument("ways", nargs="*", default=[], help=", ".join(WAYS))
    parser.add_argument("--magika", metavar="FOLDER", help="where pip has put magika")
    parser.add_argument("--tell", action="store_true", help="say which files are called wrongly")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.magika:
        sys.path.append(arguments.magika)
    if arguments.way:
        print(json.dumps(_measure(arguments.way, arguments.folder, is_told=arguments.tell)))
        return
    with tempfile.TemporaryDirectory() as name:
        make_corpus(specimens(), Path(name))
        chosen = ["ours", *(way for way in arguments.ways or WAYS if way != "ours")]
        found = {way: _in_its_own_process(way, Path(name), arguments) for way in chosen}
    _show({way: figures for way, figures in found.items() if figures})


if __name__ == "__main__":
    main()
