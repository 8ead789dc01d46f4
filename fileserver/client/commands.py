"""The commands `put` and `get` as typer sees them. What they need is imported when they run: `serve` starts without."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from fileserver.client.urls import flaw

if TYPE_CHECKING:
    from fileserver.client.outcome import Outcome
    from fileserver.client.progress import Display

# 0: all is done. 1: something failed. 2: the command line is wrong. 130: interrupted, as a shell counts Ctrl-C.
_FAILED, _USAGE, _INTERRUPTED = 1, 2, 130

_Header = Annotated[
    list[str] | None, typer.Option("--header", "-H", metavar="NAME:VALUE", help="A field to send; may be repeated.")
]
_Retries = Annotated[int, typer.Option(min=0, help="Failures in a row, without a byte between them, to put up with.")]
_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
_Json = Annotated[bool, typer.Option("--json", help="Tell how each file ended as a line of JSON on standard output.")]


def get(
    urls: Annotated[list[str], typer.Argument(metavar="URL...")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE|DIR|-", help="Where to put it; - is standard output.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    header: _Header = None,
    parallel: Annotated[int, typer.Option(min=1, max=16, help="Connections for a file from 64 MiB on.")] = 4,
    retries: _Retries = 10,
    quiet: _Quiet = False,
    is_json: _Json = False,
) -> None:
    """Download files: resumed where they broke off, checked against the server's digest, and never half a file.

    Until a file is whole and checked it is NAME.part; the same command goes on where an earlier one was ended.
    Exit codes: 0 all is there, 1 something failed, 2 wrong usage, 130 interrupted.
    """
    from fileserver.client.get import STDOUT, GetOptions, check_output
    from fileserver.client.get import get as fetch
    from fileserver.client.progress import Display

    _check_urls(urls)
    if (wrong := check_output(urls, output)) is not None:
        _wrong_usage(wrong)
    if output == STDOUT and is_json:
        _wrong_usage("--json and -o - would both write to standard output")
    _check_standard_output(is_needed=is_json or output == STDOUT)
    options = GetOptions(output, _fields(header), force, retries, parallel)
    with _exit_code() as note, Display(is_quiet=quiet, is_json=is_json) as display:
        for url in urls:
            note(_told(fetch(url, options, display), display))


def put(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    url: Annotated[str, typer.Argument(metavar="URL")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace files that are there.")] = False,
    header: _Header = None,
    chunk_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Bytes of one request at most, as 8MiB. [default: no limit]")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=16, help="Files at once.")] = 3,
    retries: _Retries = 10,
    quiet: _Quiet = False,
    is_json: _Json = False,
) -> None:
    """Upload files and folders: resumable where the server speaks tus, checked against the digest it tells.

    A URL that ends with / is a folder (or a tus endpoint); another names the one file there. The same command goes on
    where an earlier one was ended. Exit codes: 0 all is there, 1 something failed, 2 wrong usage, 130 interrupted.
    """
    from fileserver.client.chunks import parse_size
    from fileserver.client.progress import Display
    from fileserver.client.put import PutOptions
    from fileserver.client.put import put as send

    _check_urls([url])
    try:
        size = None if chunk_size is None else parse_size(chunk_size)
    except ValueError as error:
        _wrong_usage(f"--chunk-size: {error}")
    _check_standard_output(is_needed=is_json)
    options = PutOptions(_fields(header), replace, size, retries, parallel)
    with _exit_code() as note, Display(is_quiet=quiet, is_json=is_json) as display:
        for outcome in send(files, url, options, display):
            note(_told(outcome, display))


@contextmanager
def _exit_code() -> Iterator[Callable[[bool], None]]:
    """End the command as all its files ended; what is yielded takes note of each."""
    notes: list[bool] = []
    try:
        yield notes.append
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    if not all(notes):
        raise typer.Exit(_FAILED)


def _check_urls(urls: Iterable[str]) -> None:
    for url in urls:
        if (wrong := flaw(url)) is not None:
            _wrong_usage(wrong)


def _told(outcome: "Outcome", display: "Display") -> bool:
    """Say how a file ended; whether it is done. Ends the command where standard output does not take it."""
    try:
        return display.tell(outcome)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what Python still holds, and would complain of at its end
        _fail(f"standard output: {error.strerror}")


def _check_standard_output(*, is_needed: bool) -> None:
    if is_needed and sys.stdout is None:  # the command was started without
        _fail("standard output is closed")


def _fields(lines: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    pairs = [line.partition(":") for line in lines or ()]
    for name, mark, value in pairs:
        if not mark or not name.strip().isascii() or "\n" in value or "\r" in value:
            _wrong_usage(f"--header {name}{mark}{value} is not NAME:VALUE")
    return tuple((name.strip(), value.strip()) for name, _, value in pairs)


def _fail(text: str) -> NoReturn:
    typer.echo(f"fileserver: {text}", err=True)
    raise typer.Exit(_FAILED)


def _wrong_usage(text: str) -> NoReturn:
    typer.echo(f"fileserver: {text}", err=True)
    raise typer.Exit(_USAGE)
