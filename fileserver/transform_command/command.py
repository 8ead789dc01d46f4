"""The command as typer sees it: its flags are the parameters of a plan, and a few of its own."""

import asyncio
import inspect
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import ByteSize, TypeAdapter, ValidationError

from fileserver.tables import PARAMETERS, Asked, Parameter, PlanFault, TableFault, parse_query
from fileserver.transform_command.ends import STANDARD, CannotOpen, CannotRead, CannotWrite, NobodyReads, writing
from fileserver.transform_command.faults import explained, is_of_the_plan, printable

if TYPE_CHECKING:
    from fileserver.transform_command.local import Job

# 0: all is there. 1: the table is at fault, or the machine. 2: the command line or the plan. Above 128: a signal, as
# shells count it.
_FAILED, _USAGE, _INTERRUPTED, _NOBODY_READS, _TERMINATED = 1, 2, 130, 141, 143

_NOT_OURS = frozenset({"delivery"})
"""Parameters without a meaning here: -o is all or nothing, standard output is as it comes."""

_FORMATS = frozenset(PARAMETERS["format"].schema["enum"])
_BINARY = frozenset({"parquet", "arrow", "xlsx"})
_SIZE: TypeAdapter[ByteSize] = TypeAdapter(ByteSize)


def transform(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The table; - is standard input.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where it goes, whole or not at all. Else standard output."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rejected rows: a line of JSON each, with where and why.")
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="The engine's budget; what does not fit is spilt to the disk.")
    ] = "1GiB",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No bar and no counts: nothing but faults.")] = False,
    **parameters: Any,
) -> None:
    """Transform a CSV file as the server does: select, filter, derive, cast, join, group, sort and more, to any format.

    Nothing changes that no flag asks to change. A file that is compressed with gzip or zstd is unpacked. Flags that
    may be repeated say the same as several in one. --plan takes a whole plan as JSON, or @FILE with one; in a plan,
    the files of joins are paths.

    Exit codes: 0 all is there, 1 the table is at fault (told with its line) or the output could not be written,
    2 wrong usage or a fault of the plan, 130 interrupted.
    """
    from fileserver.transform_command.local import Job

    try:
        asked = _asked(_pairs(parameters, output))
    except PlanFault as fault:
        _end(explained(fault, file), _USAGE)
    if output is None and asked.plan.output.format in _BINARY and sys.stdout is not None and sys.stdout.isatty():
        _end(f"{asked.plan.output.format} is not for a terminal: -o names a file", _USAGE)
    job = Job(asked.plan, file, rejects, _budget(memory))
    try:
        _run(job, output, may_replace=force, is_quiet=quiet)
    except TableFault as fault:
        fault = asked.as_asked(fault) if isinstance(fault, PlanFault) else fault
        _end(explained(fault, _shown(file)), _USAGE if is_of_the_plan(fault) else _FAILED)


def _run(job: "Job", output: Path | None, *, may_replace: bool, is_quiet: bool) -> None:
    """Do the job; whatever is not its fault ends the command here."""
    from fileserver.transform_command.bar import Bar
    from fileserver.transform_command.local import transformed

    async def run() -> None:
        if (task := asyncio.current_task()) is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        with Bar(job.source, is_quiet=is_quiet) as bar, writing(output, may_replace=may_replace) as write:
            bar.end(await transformed(job, write, bar.advance))

    try:
        asyncio.run(run())
    except NobodyReads:
        raise typer.Exit(_NOBODY_READS) from None  # without a word, as other programs in front of `head`
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    except asyncio.CancelledError:
        raise typer.Exit(_TERMINATED) from None
    except CannotOpen as error:
        _end(str(error), _USAGE)
    except (CannotRead, CannotWrite) as error:
        _end(str(error), _FAILED)


def _pairs(parameters: Mapping[str, Any], output: Path | None) -> list[tuple[str, str]]:
    """The flags that were given, as a query has them. The format is told by the name of the output if by no flag."""
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        pairs += ((name, str(each).lower() if isinstance(each, bool) else each) for each in values)
    given = {name for name, _ in pairs}
    told = output.suffix.removeprefix(".") if output else ""
    return [*pairs, ("format", told)] if told in _FORMATS and not given & {"format", "plan"} else pairs


def _asked(pairs: list[tuple[str, str]]) -> Asked:
    return parse_query((name, _of_file(value) if name == "plan" else value) for name, value in pairs)


def _of_file(plan: str) -> str:
    """A plan, or what stands in the file that @ names."""
    if not plan.startswith("@"):
        return plan
    try:
        return Path(plan[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _end(f"{plan[1:]}: {error.strerror if isinstance(error, OSError) else 'it is no UTF-8'}", _USAGE)


def _budget(text: str) -> int:
    try:
        size = int(_SIZE.validate_python(text))
    except ValidationError:
        size = 0
    if size < 1 << 20:
        _end(f"--memory: {text} is no size from 1MiB on", _USAGE)
    return size


def _shown(file: str) -> str:
    return "standard input" if file == STANDARD else printable(file)


def _end(text: str, code: int) -> NoReturn:
    print(f"fileserver: {printable(text)}", file=sys.stderr, flush=True)  # noqa: T201
    raise typer.Exit(code)


def _flag(parameter: Parameter) -> inspect.Parameter:
    """The parameter as typer sees it: a text for the plan to judge, or a pair of flags; None when it is not given."""
    flag, said = f"--{parameter.name.replace('_', '-')}", parameter.description
    annotation: Any
    if parameter.schema["type"] == "boolean":
        annotation = Annotated[bool | None, typer.Option(f"{flag}/--no-{flag[2:]}", help=said, show_default=False)]
    else:
        kind = list[str] if parameter.is_repeatable else str
        metavar = "|".join(parameter.schema.get("enum", ())) or parameter.schema["type"].upper()
        annotation = Annotated[kind | None, typer.Option(flag, metavar=metavar, help=said, show_default=False)]
    return inspect.Parameter(parameter.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _give_flags() -> None:
    """Put a parameter for each of a plan's into the signature of `transform`, which is where typer looks for them."""
    own = [each for each in inspect.signature(transform).parameters.values() if each.kind is not each.VAR_KEYWORD]
    own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    parameters = [*own, *(_flag(each) for name, each in PARAMETERS.items() if name not in _NOT_OURS)]
    vars(transform)["__signature__"] = inspect.Signature(parameters)
    transform.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


_give_flags()
