"""Who hears of incidents: receivers, and reading them from a file. Sends nothing."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from extension.errors import BadSettings
from extension.model import Change, Severity

TYPES = frozenset(f"incident.{change}" for change in Change)
# Standard Webhooks: "whsec_" and base64 of 24 to 64 random bytes.
_SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of every secret
_SECRET_BYTES = range(24, 65)
# One thread is kept for each receiver, so that a broken one holds up nobody else.
_MOST_RECEIVERS = 32


@dataclass(frozen=True, slots=True, repr=False)
class Receiver:
    """A webhook that hears of incidents.

    Attributes:
        name: Its name in the outbox, in logs and in message ids.
        url: Where it listens. May hold credentials: show it only through `shown_url`.
        secrets: Signing secrets; the message is signed with each of them, so that one can be rotated out.
        types: The message types it wants; None for all.
        min_severity: The mildest incident it wants to hear of; None for all.
    """

    name: str
    url: str
    secrets: tuple[str, ...]
    types: frozenset[str] | None = None
    min_severity: Severity | None = None

    def __repr__(self) -> str:
        secrets = ", ".join("***" for _ in self.secrets)
        return f"Receiver(name={self.name!r}, url={shown_url(self.url)!r}, secrets=({secrets}))"

    def wants(self, message_type: str, severity: Severity) -> bool:
        """Whether it is to hear of a message of this type about an incident of this severity."""
        severe = self.min_severity is None or severity.rank >= self.min_severity.rank
        return severe and (self.types is None or message_type in self.types)


def shown_url(url: str) -> str:
    """What may be shown of an address: scheme, host and port. Paths and queries of webhooks are often secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def webhook(name: str, url: str, secret: str) -> Receiver:
    """A receiver from single settings.

    Raises:
        BadSettings: when the address or the secret cannot be used.
    """
    try:
        return _Entry.model_validate({"name": name, "url": url, "secret": secret}).receiver(Path())
    except ValidationError as exc:
        raise BadSettings("; ".join(_faults(name, exc))) from None


def load(path: Path) -> tuple[Receiver, ...]:
    """Read a YAML file of receivers; a relative `secret_file` lies beside it.

    Raises:
        BadSettings: naming every key at fault, never a secret.
    """
    try:
        page = yaml.safe_load(path.read_text("utf-8"))
        book = _Book.model_validate(page if page is not None else {})
    except OSError as exc:
        raise BadSettings(f"the receivers file {path.name} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError:
        raise BadSettings(f"the receivers file {path.name} is not UTF-8 text") from None
    except yaml.YAMLError as exc:
        # The parser's own words quote the line, which may hold a secret.
        mark = getattr(exc, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise BadSettings(f"the receivers file {path.name} is not YAML{where}") from None
    except ValidationError as exc:
        raise BadSettings("; ".join(_faults(f"the receivers file {path.name}", exc))) from None
    return tuple(entry.receiver(path.parent) for entry in book.receivers)


def unique(receivers: Iterable[Receiver]) -> tuple[Receiver, ...]:
    """The receivers, unless two share a name.

    Raises:
        BadSettings: naming the name that is taken twice.
    """
    found: dict[str, Receiver] = {}
    for receiver in receivers:
        if receiver.name in found:
            raise BadSettings(f"two receivers are called {receiver.name!r}")
        found[receiver.name] = receiver
    return tuple(found.values())


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f]", url):
        raise ValueError("must be an http:// or https:// address with a host")
    return url


def _checked_secret(secret: str) -> str:
    coded = secret.strip().removeprefix(_SECRET_PREFIX)
    try:
        length = len(base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True))
    except (binascii.Error, ValueError):
        length = 0
    if not secret.strip().startswith(_SECRET_PREFIX) or length not in _SECRET_BYTES:
        raise ValueError('must be "whsec_" and base64 of 24 to 64 random bytes')
    return secret.strip()


def _checked_types(types: frozenset[str]) -> frozenset[str]:
    if not types or types - TYPES:
        raise ValueError(f"must be some of {', '.join(sorted(TYPES))}")
    return types


_Secret = Annotated[str, AfterValidator(_checked_secret)]


class _Entry(BaseModel):
    """One receiver in the file."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    url: Annotated[str, AfterValidator(_checked_url)]
    secret: _Secret | list[_Secret] = Field(default_factory=list)
    secret_file: Path | None = None
    types: Annotated[frozenset[str], AfterValidator(_checked_types)] | None = None
    min_severity: Severity | None = None

    @model_validator(mode="after")
    def _one_source_of_secrets(self) -> Self:
        if bool(self.secret) == bool(self.secret_file):
            raise ValueError("needs either secret or secret_file")
        return self

    def receiver(self, folder: Path) -> Receiver:
        """The receiver, its secret file read.

        Raises:
            BadSettings: when the secret file cannot be used.
        """
        secrets = [self.secret] if isinstance(self.secret, str) else self.secret
        if self.secret_file is not None:
            secrets = _secrets_of(self.name, folder / self.secret_file)
        return Receiver(self.name, self.url, tuple(secrets), self.types, self.min_severity)


class _Book(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    receivers: list[_Entry] = Field(default_factory=list, max_length=_MOST_RECEIVERS)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [entry.name for entry in self.receivers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"name: {', '.join(twice)} is taken twice")
        return self


def _secrets_of(name: str, path: Path) -> list[str]:
    """The secrets in a file, one a line."""
    try:
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        secrets = [_checked_secret(line) for line in lines]
    except OSError as exc:
        raise BadSettings(f"receiver {name}: secret_file {path.name} cannot be read: {exc.strerror}") from exc
    except ValueError:
        secrets = []
    if not secrets:
        raise BadSettings(
            f'receiver {name}: secret_file {path.name}: each line must be "whsec_" and base64 of 24 to 64 bytes'
        )
    return secrets


def _faults(where: str, exc: ValidationError) -> list[str]:
    return [
        f"{where}: {_key(error['loc'])}{error['msg'].removeprefix('Value error, ')}"
        for error in exc.errors(include_url=False, include_input=False, include_context=False)
    ]


def _key(loc: tuple[Any, ...]) -> str:
    """The key as an operator finds it: "receivers[1].url: "."""
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}"
        for part in loc
        if isinstance(part, int) or re.fullmatch(r"[A-Za-z0-9_-]+", str(part))
    )
    return f"{path.lstrip('.')}: " if path else ""
