"""Run a plan over bytes, in portions of any size."""

from collections.abc import Iterable

from fileserver.tables import Counts, Engine, parse_plan

Parameters = dict[str, str] | list[tuple[str, str]]


def output_of(table: bytes, parameters: Parameters | None = None) -> bytes:
    """All output for a table that comes at once."""
    return run([table], parameters)[0]


def counts_of(table: bytes, parameters: Parameters | None = None) -> Counts:
    """What became of the rows of a table that comes at once."""
    return run([table], parameters)[1]


def run(portions: Iterable[bytes], parameters: Parameters | None = None) -> tuple[bytes, Counts]:
    """All output, and what became of the rows."""
    pairs = list(parameters.items()) if isinstance(parameters, dict) else parameters or []
    engine = Engine(parse_plan(pairs))
    output = b"".join([piece for portion in portions for piece in engine.feed(portion)])
    output += b"".join(engine.finish())
    return output, engine.counts
