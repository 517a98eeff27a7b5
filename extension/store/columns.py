"""Column types that keep values as the domain means them, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import Any

from sqlalchemy import DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

# UTF-8 has no lone surrogates and PostgreSQL no NUL; a VLM may answer with either.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Instant(TypeDecorator[dt.datetime]):
    """An aware instant, stored and returned in UTC. A naive one is a mistake of the caller (ValueError)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Turn an aware instant into what the database keeps."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        at = value.astimezone(dt.UTC)
        # SQLite keeps text of fixed width, which sorts as time does; it knows no zones.
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Turn what the database keeps into an aware instant."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Words(TypeDecorator[str]):
    """Text from outside; characters that no database can keep become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make the text storable."""
        del dialect
        return value if value is None else _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)


def to_json(value: Any) -> str:
    """JSON that every database accepts: numbers it does not know (NaN, infinity) become null, lone surrogates U+FFFD."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
