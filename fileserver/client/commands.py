"""The commands `put` and `get` as typer sees them. What they need is imported when they run: `serve` starts without."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fileserver.client.command_line import (
    Header,
    Quiet,
    Retries,
    check_standard_output,
    check_urls,
    drop_output,
    exit_code,
    fail,
    fields_of,
    wrong_usage,
)

if TYPE_CHECKING:
    from fileserver.client.outcome import Outcome
    from fileserver.client.progress import Display

_Json = Annotated[bool, typer.Option("--json", help="Tell how each file ended as a line of JSON on standard output.")]


def get(
    urls: Annotated[list[str], typer.Argument(metavar="URL...")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE|DIR|-", help="Where to put it; - is standard output.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    header: Header = None,
    parallel: Annotated[int, typer.Option(min=1, max=16, help="Connections for a file from 64 MiB on.")] = 4,
    retries: Retries = 10,
    quiet: Quiet = False,
    is_json: _Json = False,
) -> None:
    """Download files: resumed where they broke off, checked against the server's digest, and never half a file.

    Until a file is whole and checked it is NAME.part; the same command goes on where an earlier one was ended.
    Exit codes: 0 all is there, 1 something failed, 2 wrong usage, 130 interrupted.
    """
    from fileserver.client.get import STDOUT, GetOptions, check_output
    from fileserver.client.get import get as fetch
    from fileserver.client.progress import Display

    check_urls(urls)
    if (wrong := check_output(urls, output)) is not None:
        wrong_usage(wrong)
    if output == STDOUT and is_json:
        wrong_usage("--json and -o - would both write to standard output")
    check_standard_output(is_needed=is_json or output == STDOUT)
    options = GetOptions(output, fields_of(header), force, retries, parallel)
    with exit_code() as note, Display(is_quiet=quiet, is_json=is_json) as display:
        for url in urls:
            note(_told(fetch(url, options, display), display))


def put(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    url: Annotated[str, typer.Argument(metavar="URL")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace files that are there.")] = False,
    header: Header = None,
    chunk_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Bytes of one request at most, as 8MiB. [default: no limit]")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=16, help="Files at once.")] = 3,
    retries: Retries = 10,
    quiet: Quiet = False,
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

    check_urls([url])
    try:
        size = None if chunk_size is None else parse_size(chunk_size)
    except ValueError as error:
        wrong_usage(f"--chunk-size: {error}")
    check_standard_output(is_needed=is_json)
    options = PutOptions(fields_of(header), replace, size, retries, parallel)
    with exit_code() as note, Display(is_quiet=quiet, is_json=is_json) as display:
        for outcome in send(files, url, options, display):
            note(_told(outcome, display))


def _told(outcome: "Outcome", display: "Display") -> bool:
    """Say how a file ended; whether it is done. Ends the command where standard output does not take it."""
    try:
        return display.tell(outcome)
    except OSError as error:
        drop_output()
        fail(f"standard output: {error.strerror}")
