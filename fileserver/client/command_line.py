"""What the commands of this room share: options, exit codes, and what is wrong with a command line."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

from fileserver.client.progress import printable
from fileserver.client.urls import flaw

# 0: all is done. 1: something failed. 2: the command line is wrong. Above 128: a signal, as shells count it: Ctrl-C's,
# and that of a program in front of `head`.
DONE, FAILED, USAGE, INTERRUPTED, NOBODY_READS = 0, 1, 2, 130, 141

Header = Annotated[
    list[str] | None, typer.Option("--header", "-H", metavar="NAME:VALUE", help="A field to send; may be repeated.")
]
Retries = Annotated[int, typer.Option(min=0, help="Failures in a row, without a byte between them, to put up with.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]


@contextmanager
def exit_code() -> Iterator[Callable[[bool], None]]:
    """End the command as all its files ended; what is yielded takes note of each."""
    notes: list[bool] = []
    try:
        yield notes.append
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if not all(notes):
        raise typer.Exit(FAILED)


@contextmanager
def writing() -> Iterator[None]:
    """End the command where standard output takes no more: without a word if its reader has left."""
    try:
        yield
    except BrokenPipeError:
        drop_output()
        raise typer.Exit(NOBODY_READS) from None
    except OSError as error:
        drop_output()
        fail(f"standard output: {error.strerror}")


def drop_output() -> None:
    """Let what Python still holds of standard output go nowhere: it would complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def check_urls(urls: Iterable[str]) -> None:
    """End the command where one is no URL."""
    for url in urls:
        if (wrong := flaw(url)) is not None:
            wrong_usage(wrong)


def check_standard_output(*, is_needed: bool) -> None:
    """End the command where it was started without what it needs."""
    if is_needed and sys.stdout is None:
        fail("standard output is closed")


def fields_of(lines: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    """The fields of `--header`. Ends the command where one is none."""
    pairs = [line.partition(":") for line in lines or ()]
    for name, mark, value in pairs:
        if not mark or not name.strip().isascii() or "\n" in value or "\r" in value:
            wrong_usage(f"--header {name}{mark}{value} is not NAME:VALUE")
    return tuple((name.strip(), value.strip()) for name, _, value in pairs)


def fail(text: str) -> NoReturn:
    """End the command: something failed."""
    _end(text, FAILED)


def wrong_usage(text: str) -> NoReturn:
    """End the command: it was asked for what cannot be."""
    _end(text, USAGE)


def _end(text: str, code: int) -> NoReturn:
    typer.echo(f"fileserver: {printable(text)}", err=True)
    raise typer.Exit(code)
