"""The programs people use, run as they run them: curl, wget, aria2c, ffmpeg."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.files import sha256_of_stream

# Long enough for 2 GiB on a busy machine; a hang is cut short all the same.
_DEADLINE_S = 120


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended and what it said."""

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """Standard output as UTF-8."""
        return self.output.decode()


def run(*words: str | Path, stdin: bytes = b"", folder: Path | None = None) -> Run:
    """Run a program to its end, whatever its exit code."""
    done = subprocess.run(_words(words), input=stdin, capture_output=True, cwd=folder, timeout=_DEADLINE_S, check=False)
    return Run(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def curl(*words: str | Path, stdin: bytes = b"", folder: Path | None = None) -> Run:
    """curl without a user's settings, silent but for errors."""
    return run("curl", "-q", "-sS", *words, stdin=stdin, folder=folder)


def curl_status(*words: str | Path, stdin: bytes = b"") -> int:
    """The final status that curl saw; the body goes nowhere."""
    done = curl("-o", "/dev/null", "-w", "%{http_code}", *words, stdin=stdin)
    assert done.output, f"curl ended with {done.code}: {done.errors}"
    return int(done.output)


def piped_sha256(*words: str | Path) -> str:
    """The digest of what a program writes to standard output, which is kept nowhere; it must end with 0."""
    with subprocess.Popen(_words(words), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        digest = sha256_of_stream(process.stdout)
        assert process.wait(_DEADLINE_S) == 0, f"{words[0]} ended with {process.returncode}"
    return digest


def _words(words: Sequence[str | Path]) -> list[str]:
    return [str(word) for word in words]
