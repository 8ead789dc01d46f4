"""System calls of a running server that fail, or are its last, by strace(1).

strace counts calls by thread: `when=2` is the second of each thread. A rule is what `strace -e inject=` takes.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server import Server, wait_until


@contextmanager
def injected(server: Server, *rules: str, paths: Iterable[Path] = ()) -> Iterator[None]:
    """For the block, the server's calls are tampered with: all that a rule names, or those alone that have a path.

    Skips the test where there is no strace, or no process may be traced.
    """
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    calls = ",".join(rule.partition(":")[0] for rule in rules)
    injections = [word for rule in rules for word in ("-e", f"inject={rule}")]
    selected = [word for path in paths for word in ("-P", str(path))]
    command = ["strace", "-f", "-e", f"trace={calls}", *injections, *selected, "-p", str(server.pid)]
    with (
        tempfile.NamedTemporaryFile(prefix="strace-") as log,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log) as tracer,
    ):
        try:
            wait_until(lambda: tracer.poll() is not None or b" attached" in Path(log.name).read_bytes())
            if tracer.poll() is not None:
                pytest.skip(f"no process may be traced: {Path(log.name).read_text()}")
            yield
        finally:
            _end(tracer)


def _end(tracer: subprocess.Popen[bytes]) -> None:
    tracer.terminate()
    try:
        tracer.wait(2)
    except subprocess.TimeoutExpired:  # strace can miss that what it traced was killed
        tracer.kill()
