"""The commands `job` and `watch`, and `verify` of a URL, as typer sees them; see `commands` for when they import."""

from typing import Annotated, NoReturn

import typer

from fileserver.client.command_line import (
    DONE,
    FAILED,
    Header,
    Quiet,
    Retries,
    check_standard_output,
    check_urls,
    exit_code,
    fail,
    fields_of,
    writing,
    wrong_usage,
)
from fileserver.client.retries import LIVE_RETRIES


def job(
    url: Annotated[str, typer.Argument(metavar="URL")],
    cancel: Annotated[bool, typer.Option("--cancel", help="Have it ended, and wait until it has.")] = False,
    header: Header = None,
    retries: Retries = LIVE_RETRIES,
    quiet: Quiet = False,
    is_json: Annotated[bool, typer.Option("--json", help="Tell how it ended as a line of JSON.")] = False,
) -> None:
    """Watch long work on a server to its end, by the URL that it was answered with; an interrupt leaves it going on.

    Exit codes: 0 it is done (with --cancel: it is cancelled), 1 it failed or was cancelled, or cannot be watched,
    2 wrong usage, 130 interrupted.
    """
    from fileserver.client.errors import ClientError
    from fileserver.client.job import end_of_job
    from fileserver.client.job_bar import JobBar

    check_urls([url])
    check_standard_output(is_needed=is_json)
    fields = fields_of(header)
    with exit_code() as note, JobBar(is_quiet=quiet) as bar:
        try:
            ended = end_of_job(url, fields, retries, bar, may_cancel=cancel)
        except ClientError as error:
            fail(str(error))
        is_well = ended.state == ("cancelled" if cancel else "done")
        if is_json:
            with writing():
                typer.echo(ended.as_json())
        else:
            (bar.say if is_well else bar.complain)(ended.as_line())
        note(is_well)


def watch(
    url: Annotated[str, typer.Argument(metavar="URL", help="A server, or a folder of it: http://host/files/videos/")],
    prefix: Annotated[str, typer.Option(metavar="TEXT", help="Only keys that begin so, after the URL's.")] = "",
    kind: Annotated[
        list[str] | None,
        typer.Option(help="created, replaced, deleted, moved, upload, job or comment; may be repeated."),
    ] = None,
    since: Annotated[str, typer.Option(metavar="ID", help="Begin after this change; 0 is all that is kept.")] = "",
    header: Header = None,
    retries: Retries = LIVE_RETRIES,
    quiet: Quiet = False,
    is_json: Annotated[bool, typer.Option("--json", help="A JSON object for each line.")] = False,
) -> None:
    """Tell what happens to the files of a server, as it happens: a line for each change, none missed and none twice.

    Goes on until it is interrupted. Exit codes: 1 the server cannot be watched, 2 wrong usage, 130 interrupted,
    141 nobody reads the lines.
    """
    from fileserver.client.errors import ClientError
    from fileserver.client.progress import Display
    from fileserver.client.watch import WatchOptions
    from fileserver.client.watch import watch as lines_of

    check_urls([url])
    if not since.isalnum() and since:
        wrong_usage(f"--since: {since} is not the number of a change")
    check_standard_output(is_needed=True)
    options = WatchOptions(prefix, tuple(kind or ()), since, fields_of(header), retries, is_json)
    with exit_code():
        try:
            for line in lines_of(url, options, Display(is_quiet=quiet).say):
                with writing():
                    print(line, flush=True)  # noqa: T201
        except ClientError as error:
            fail(str(error))


def verify(url: str, prefix: str, header: list[str] | None, retries: int, *, is_quiet: bool, is_json: bool) -> NoReturn:
    """Have a server read its files again. Ends the command as `verify` of a folder does."""
    from fileserver.client.errors import ClientError
    from fileserver.client.verification import VerifyOptions
    from fileserver.client.verification import verify as is_sound

    check_urls([url])
    check_standard_output(is_needed=True)
    options = VerifyOptions(prefix, fields_of(header), retries, is_quiet, is_json)
    with exit_code(), writing():
        try:
            code = DONE if is_sound(url, options) else FAILED
        except ClientError as error:
            wrong_usage(str(error))  # whoever reads 1 is to know that a file is damaged
    raise typer.Exit(code)
