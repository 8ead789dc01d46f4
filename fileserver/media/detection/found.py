"""What the bytes of a file prove, and how much they leave to its name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A media type that bytes prove. Where it is not settled, the name may choose a neighbour of the same family."""

    media_type: str
    is_settled: bool = True
