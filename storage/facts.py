"""How the catalogue is asked what is known of one version of a file, or of many files at once."""

from collections.abc import Callable
from typing import TypeAlias

from sqlalchemy import ColumnElement, CompoundSelect, Select, Text, bindparam, func, null, select, union_all

from storage import schema

_KeyColumn: TypeAlias = ColumnElement[str]
_FactsStatement: TypeAlias = CompoundSelect[str, str, bytes | None, str | None, bytes | None]

_learned = schema.learned_digests.c


def _facts_statement() -> Select[bytes | None, str | None, bytes | None]:
    digests, media_types, claims = schema.digests.c, schema.media_types.c, schema.claims.c
    key, identity = bindparam("key", type_=schema.KeyBytes), bindparam("identity", type_=Text)
    committed = select(digests.sha256).where(digests.key == key, digests.identity == identity)
    coming = select(claims.sha256).where(claims.key == key, claims.etag == bindparam("etag"))
    seen = select(media_types.media_type).where(media_types.key == key, media_types.identity == identity)
    learned = select(_learned.sha256).where(_learned.key == key, _learned.identity == identity)
    known = func.coalesce(committed.scalar_subquery(), coming.scalar_subquery())
    return select(known, seen.scalar_subquery(), learned.scalar_subquery())


def _facts_where(is_asked: Callable[[_KeyColumn], ColumnElement[bool]]) -> _FactsStatement:
    digests, media_types = schema.digests.c, schema.media_types.c
    committed = select(
        digests.key, digests.identity, digests.sha256, null().label("media_type"), null().label("learned")
    )
    seen = select(media_types.key, media_types.identity, null(), media_types.media_type, null())
    learned = select(_learned.key, _learned.identity, null(), null(), _learned.sha256)
    return union_all(
        committed.where(is_asked(digests.key)),
        seen.where(is_asked(media_types.key)),
        learned.where(is_asked(_learned.key)),
    )


def _is_between(key: _KeyColumn) -> ColumnElement[bool]:
    return key.between(bindparam("first", type_=schema.KeyBytes), bindparam("last", type_=schema.KeyBytes))


def _is_among(key: _KeyColumn) -> ColumnElement[bool]:
    return key.in_(bindparam("keys", type_=schema.KeyBytes, expanding=True))


# To put a statement together takes as long as to run it.
FACTS = _facts_statement()
"""Of one version: `key`, `identity`, `etag`."""
FACTS_BETWEEN = _facts_where(_is_between)
"""Of all keys from `first` to `last`."""
FACTS_AMONG = _facts_where(_is_among)
"""Of these `keys`."""
