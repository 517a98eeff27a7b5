"""Who may watch: the Basic and Digest schemes (RFC 7616, MD5 as cameras have it), from the server's side. Knows no socket."""

from __future__ import annotations

import binascii
import enum
import hashlib
import hmac
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Final

REALM: Final = "camera"
_FIELD: Final = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,"]+))')
_QOP: Final = "auth"


class Scheme(enum.StrEnum):
    """How a client proves that it knows the password: `BASIC` sends it, `DIGEST` sends a hash of it that holds for one request."""

    BASIC = "basic"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who may watch.

    Attributes:
        user: Name.
        password: Password.
        schemes: Those that the server offers, in this order; others are refused.
        protected: Whether Digest counts requests (`qop=auth`, RFC 7616) or not (RFC 2069, as old cameras do).
    """

    user: str
    password: str
    schemes: tuple[Scheme, ...] = (Scheme.DIGEST, Scheme.BASIC)
    protected: bool = True

    def __repr__(self) -> str:
        """Without the password."""
        return f"Credentials({self.user!r}, ...)"

    def challenges(self, nonce: str) -> tuple[str, ...]:
        """What a client without credentials is told: one header's value for each scheme.

        Args:
            nonce: Of this connection; nobody else has it.
        """
        counted = f', qop="{_QOP}"' if self.protected else ""
        offers = {
            Scheme.BASIC: f'Basic realm="{REALM}"',
            Scheme.DIGEST: f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5{counted}',
        }
        return tuple(offers[scheme] for scheme in self.schemes)

    def admit(self, authorization: str, method: str, url: str, nonce: str) -> bool:
        """Whether a request may pass.

        Args:
            authorization: Value of its header; empty where it has none.
            method: Of the request.
            url: Of the request.
            nonce: Of this connection.
        """
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() not in self.schemes:
            return False
        if scheme.lower() == Scheme.BASIC:
            return self._knows(rest)
        return self._proves(rest, method, url, nonce)

    def _knows(self, token: str) -> bool:
        try:
            given = b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, f"{self.user}:{self.password}".encode())

    def _proves(self, text: str, method: str, url: str, nonce: str) -> bool:
        given = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(text)}
        stated = (given.get("username"), given.get("realm"), given.get("nonce"), given.get("uri"))
        if stated != (self.user, REALM, nonce, url) or given.get("qop", "") != (_QOP * self.protected):
            return False
        counted = f"{given.get('nc', '')}:{given.get('cnonce', '')}:{_QOP}:" if self.protected else ""
        secret = _md5(f"{self.user}:{REALM}:{self.password}")
        proof = _md5(f"{secret}:{nonce}:{counted}{_md5(f'{method}:{url}')}")
        return hmac.compare_digest(proof.encode(), given.get("response", "").encode())


def _md5(text: str) -> str:
    """What the schemes of cameras are made of; it protects nothing else here."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
