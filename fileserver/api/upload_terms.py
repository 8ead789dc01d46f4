"""What an upload is to become, kept with it as text: the promises and conditions of the request that began it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pydantic import TypeAdapter

from fileserver.api.writes import condition_of, is_free
from fileserver.http.fields import Fields
from storage import Condition, Entry

CONDITIONS = ("if-match", "if-none-match", "if-unmodified-since")
"""The fields of a request that have to hold when its upload ends, however much later."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds until an upload is complete.

    `digests` (hexadecimal, by names of `hashlib`) are those of the whole. `folder` and `content_type` are of an upload
    whose bytes are a form. `metadata` and `concat` are fields of tus.
    """

    is_replacing: bool = False
    digests: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None
    content_type: str = ""
    metadata: str = ""
    concat: str = ""

    def text(self) -> str:
        """The terms, to be kept."""
        return _ADAPTER.dump_json(self, exclude_defaults=True).decode()

    def holds(self, current: Entry | None) -> bool:
        """Whether what is stored now may be replaced by the upload."""
        return (self.is_replacing or is_free(current)) and self._asked()(current)

    def whole(self) -> dict[str, bytes]:
        """The digests that the whole has to have."""
        return {name: bytes.fromhex(digest) for name, digest in self.digests.items()}

    def _asked(self) -> Condition:
        return condition_of(Fields(self.conditions.items()), "PUT")


_ADAPTER = TypeAdapter(Terms)


@lru_cache(maxsize=256)
def terms_of(text: str) -> Terms:
    """Terms as they were kept."""
    return _ADAPTER.validate_json(text)


def conditions_of(fields: Fields) -> dict[str, str]:
    """The preconditions of a request, to be asked again when its upload is complete."""
    given = {name: fields.joined(name) for name in CONDITIONS}
    return {name: value for name, value in given.items() if value is not None}
