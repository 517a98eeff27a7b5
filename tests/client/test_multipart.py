"""Forms are written as RFC 7578 says, in pieces, whatever the file's size or name."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from extension import multipart


async def _echo(request: Request) -> JSONResponse:
    async with request.form() as form:
        page = {}
        for name, value in form.items():
            page[name] = value if isinstance(value, str) else [value.filename, (await value.read()).hex()]
    return JSONResponse(page)


CLIENT = TestClient(Starlette(routes=[Route("/", _echo, methods=["POST"])]))


def _sent(fields: dict[str, str], uploads: dict[str, multipart.Upload]) -> dict[str, object]:
    form = multipart.form(fields, uploads)
    response = CLIENT.post("/", content=b"".join(form.pieces), headers={"content-type": form.content_type})
    page: dict[str, object] = response.json()
    return page


@given(st.binary(max_size=4000), st.text(max_size=60))
def test_what_is_sent_arrives(content: bytes, value: str) -> None:
    """Any bytes, any text: boundaries and line ends in them do no harm."""
    sent = _sent({"note": value}, {"file": multipart.Upload("a.bin", io.BytesIO(content))})
    assert sent == {"note": value, "file": ["a.bin", content.hex()]}


@pytest.mark.parametrize("name", ["plain.mp4", "사고 영상.mp4", "semi;colon.mp4", "two words.mp4"])
def test_names_arrive_as_they_are(name: str) -> None:
    """Names are the user's."""
    assert _sent({}, {"file": multipart.Upload(name, io.BytesIO(b"x"))})["file"] == [name, b"x".hex()]


def test_a_name_cannot_write_headers() -> None:
    """Quotes and line ends in a name are written as browsers write them."""
    sent = _sent({}, {"file": multipart.Upload('a"\r\nx-evil: 1\r\n\r\nb', io.BytesIO(b"x"))})
    assert list(sent) == ["file"]


class Endless(io.RawIOBase):
    """A file larger than memory: counts how much was asked for at once."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left = size
        self.largest = 0

    def read(self, size: int = -1) -> bytes:
        """Zeros."""
        self.largest = max(self.largest, size if size >= 0 else self.left)
        given_now = min(size, self.left) if size >= 0 else self.left
        self.left -= given_now
        return bytes(given_now)


def test_a_large_file_is_read_in_pieces() -> None:
    """Never more than a megabyte at a time."""
    stream = Endless(64 << 20)
    pieces: Iterator[bytes] = multipart.form({}, {"file": multipart.Upload("big", _as_binary(stream))}).pieces
    assert sum(len(piece) for piece in pieces) > 64 << 20
    assert stream.largest <= 1 << 20


def _as_binary(stream: io.RawIOBase) -> BinaryIO:
    return stream  # type: ignore[return-value] # typeshed knows RawIOBase and BinaryIO as strangers
