"""Reads the multipart form of `POST /files` from the network to the disk, in bounded memory.

It neither judges the file nor knows the other fields' meaning.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from via_server.assets import Room
from via_server.errors import StorageFull, ViaError

_FILE_FIELD = "file"
_MOST_FIELD_BYTES = 64 * 1024  # all plain fields together; the longest is a path
_MOST_PARTS = 32


@dataclass
class Form:
    """A form that was read: its plain fields, and of its file the name the client gave and the size.

    `file_name` is None where no file was sent. Of a field that came twice the last counts.
    """

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str | None = None
    file_bytes: int = 0


def malformed(reason: str) -> ViaError:
    """The refusal of a body that is no multipart form."""
    return ViaError(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidParameters", f"('body',): {reason}")


async def read_form(body: AsyncIterator[bytes], content_type: str, path: Path, room: Room) -> Form:
    """Read a whole form; its file goes to `path`, and its bytes are taken from `room`.

    Raises ViaError for a malformed form and StorageFull when the room or the disk is used up; the body is then read to its
    end (so that the client reads the answer), the file is gone and its room is given back.
    """
    kind, options = parse_options_header(content_type)
    if kind == b"application/x-www-form-urlencoded":
        return await _read_short_form(body)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise malformed("a multipart form is needed")
    with _FormReader(boundary, path, room) as reader:
        failure: ViaError | None = None
        async for piece in body:
            if failure is None:
                failure = await run_in_threadpool(reader.feed, piece)
        if failure is None and not reader.ended:
            failure = malformed("the form ends before it is complete")
        if failure is not None:
            raise failure
        reader.keep()
        return reader.form


async def _read_short_form(body: AsyncIterator[bytes]) -> Form:
    """A form without a file, as clients send it that name a file by path."""
    data = b""
    async for piece in body:
        data += piece
        if len(data) > _MOST_FIELD_BYTES:
            raise malformed("the form's fields are too long")
    try:
        return Form(
            dict(
                parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_PARTS)
            )
        )
    except ValueError:
        raise malformed("the form has too many fields") from None


class _FormReader:
    """Feeds pieces of a body to the parser and writes the file part down as it comes."""

    def __init__(self, boundary: bytes, path: Path, room: Room) -> None:
        self.form = Form()
        self.ended = False
        self._path = path
        self._room = room
        self._taken_bytes = 0
        self._field_bytes = 0
        self._parts = 0
        self._kept = False
        self._file: BinaryIO | None = None
        self._headers: dict[bytes, bytes] = {}
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._write: Callable[[bytes], None] = self._to_field
        self._name = ""
        self._value = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": lambda data, start, end: self._write(data[start:end]),
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)
            self._room.give_back(self._taken_bytes)

    def keep(self) -> None:
        """Leave the file and its room taken when the reader closes."""
        self._kept = True

    def feed(self, piece: bytes) -> ViaError | None:
        """Parse the next piece; returns what is wrong with it, if anything."""
        try:
            self._parser.write(piece)
        except ViaError as failure:
            return failure
        except OSError:
            return StorageFull()
        except FormParserError:
            return malformed("the form cannot be parsed")
        return None

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise malformed("the form has too many fields")
        self._headers = {}
        self._header = (bytearray(), bytearray())

    def _on_header_end(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._value = bytearray()
        if self._name == _FILE_FIELD and b"filename" in options:
            if self.form.file_name is not None:
                raise malformed("the form holds more than one file")
            self.form.file_name = options[b"filename"].decode("utf-8", "replace")
            self._file = self._path.open("wb", buffering=1024 * 1024)
            self._write = self._to_file
        else:
            self._write = self._to_field

    def _to_file(self, data: bytes) -> None:
        self._room.take(len(data))
        self._taken_bytes += len(data)
        if self._file is not None:
            self._file.write(data)
        self.form.file_bytes += len(data)

    def _to_field(self, data: bytes) -> None:
        self._field_bytes += len(data)
        if self._field_bytes > _MOST_FIELD_BYTES:
            raise malformed("the form's fields are too long")
        self._value.extend(data)

    def _on_part_end(self) -> None:
        if self._write == self._to_file and self._file is not None:
            self._file.close()
            return
        self.form.fields[self._name] = self._value.decode("utf-8", "replace")

    def _on_end(self) -> None:
        self.ended = True
