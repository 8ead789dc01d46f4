"""The commands of a document, taken from its text: a README that a test runs cannot go stale.

A block that begins with exactly "```sh" is run; every other fence (console, bash, text, ...) is for the eye. An address
of the default server is replaced by that of the server at hand. The blocks of one document run in order and in one
folder, each by a `bash -e` of its own: a later block finds the files of an earlier one, but none of its variables.
"""

import re
from dataclasses import dataclass
from pathlib import Path

DEFAULT_URL = "http://127.0.0.1:8000"

_FENCE = re.compile(r"^(?P<indent> *)```sh\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """Commands as they stand in a document, and the line where they begin (from 1)."""

    line: int
    text: str

    def against(self, url: str) -> str:
        """The commands with the default server's address replaced by `url`."""
        return self.text.replace(DEFAULT_URL, url)


def runnable_blocks(document: Path) -> tuple[Block, ...]:
    """The blocks of a Markdown file that are meant to be run, in order.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile("w") as file:
    ...     written = file.write("# Use\\n```sh\\ncurl x\\n```\\n```console\\n$ curl y\\n```\\n")
    ...     file.flush()
    ...     runnable_blocks(Path(file.name))
    (Block(line=3, text='curl x\\n'),)
    """
    content = document.read_text(encoding="utf-8")
    return tuple(
        Block(content.count("\n", 0, fence.start("text")) + 1, fence["text"]) for fence in _FENCE.finditer(content)
    )
