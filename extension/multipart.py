"""Writes multipart forms piece by piece, so that a file of any size is sent in little memory (requests' own way reads it whole)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """An open file and the name it is sent under."""

    name: str
    stream: BinaryIO


@dataclass(frozen=True, slots=True)
class Form:
    """A form to post: `content_type` goes into the headers, `pieces` is the body."""

    content_type: str
    pieces: Iterator[bytes]


def form(fields: Mapping[str, str], uploads: Mapping[str, Upload]) -> Form:
    """A multipart/form-data body (RFC 7578): fields first, then files."""
    boundary = secrets.token_hex(16)
    return Form(f"multipart/form-data; boundary={boundary}", _pieces(boundary, fields, uploads))


def _pieces(boundary: str, fields: Mapping[str, str], uploads: Mapping[str, Upload]) -> Iterator[bytes]:
    for name, value in fields.items():
        yield f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, upload in uploads.items():
        disposition = f'form-data; name="{name}"; filename="{_quoted(upload.name)}"'
        kind = "application/octet-stream"
        yield f"--{boundary}\r\nContent-Disposition: {disposition}\r\nContent-Type: {kind}\r\n\r\n".encode()
        while piece := upload.stream.read(_PIECE_BYTES):
            yield piece
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """A file name inside quotes, as browsers write it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
