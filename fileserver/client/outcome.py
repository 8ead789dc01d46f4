"""How the transfer of one file ended."""

import json
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Outcome:
    """One object of `--json`; what is not known is None."""

    file: str
    url: str
    status: Literal["done", "failed"]
    size: int | None = None
    sha256: str | None = None
    verified: bool = False
    """Whether the server told a digest, and it was the file's."""
    seconds: float = 0
    error: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether the file is where it was to go, whole."""
        return self.status == "done"

    def as_json(self) -> str:
        """The outcome as a line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def as_line(self) -> str:
        """The outcome as a person reads it."""
        if not self.is_done:
            return f"{self.file}: {self.error}"
        checked = "verified" if self.verified else "unverified: the server tells no digest"
        return f"{self.file}: {self.size} bytes in {self.seconds:.1f} s, {checked}"
