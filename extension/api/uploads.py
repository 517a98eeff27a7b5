"""Receives a multipart form, its files going straight to disk: memory stays at one network block, whatever is sent.

It judges sizes and form, not contents.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect

from extension.api.filenames import safe_name
from extension.api.problems import Rejected

FILE_FIELDS = ("video", "trajectory")
INCOMING = ".incoming"

# Texts of the form are numbers, one name and one instant.
_MOST_TEXT_BYTES = 4096
_MOST_PARTS = 32
# Boundaries, part headers and texts around the files.
_FORM_BYTES = 1024**2
# Read and thrown away after a refusal, so that a client that only listens after sending hears why.
_LINGER_BYTES = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Upload:
    """A form as it arrived: its texts, and its files in `folder` (one folder per field, so that names cannot clash)."""

    folder: Path
    texts: dict[str, str]
    files: dict[str, str]

    def path(self, name: str) -> Path:
        """Where the file of that form field lies."""
        return self.folder / name / self.files[name]

    def moved(self, folder: Path) -> Upload:
        """The same upload in its final folder."""
        self.folder.rename(folder)
        return Upload(folder, self.texts, self.files)

    def discard(self) -> None:
        """Remove its files."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(slots=True)
class _Part:
    header_name: bytes = b""
    header_value: bytes = b""
    disposition: bytes = b""
    name: str = ""
    text: bytearray = field(default_factory=bytearray)
    file: BinaryIO | None = None
    is_file: bool = False


class _Sink:
    """The parser's listener: writes file parts to disk and keeps the short texts."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.texts: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.complete = False
        self._folder = folder
        self._max_bytes = max_bytes
        self._file_bytes = 0
        self._parts = 0
        self._part = _Part()

    def parser(self, boundary: bytes) -> MultipartParser:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._all,
            },
        )

    def close(self) -> None:
        if self._part.file is not None:
            self._part.file.close()

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise Rejected(HTTPStatus.BAD_REQUEST, f"The form has more than {_MOST_PARTS} parts.")
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]

    def _header_end(self) -> None:
        if self._part.header_name.lower() == b"content-disposition":
            self._part.disposition = self._part.header_value
        self._part.header_name = self._part.header_value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        part = self._part
        part.name = options.get(b"name", b"").decode(errors="replace")
        if not part.name:
            raise Rejected(HTTPStatus.BAD_REQUEST, "A part of the form has no name.")
        if part.name in self.texts or part.name in self.files:
            raise Rejected(HTTPStatus.BAD_REQUEST, f"The form has {part.name!r} twice.")
        part.is_file = b"filename" in options
        if part.is_file and part.name not in FILE_FIELDS:
            raise Rejected(HTTPStatus.UNPROCESSABLE_ENTITY, f"{part.name}: not a file of this form.")
        if options.get(b"filename"):
            name = safe_name(options[b"filename"].decode(errors="replace"), otherwise=part.name)
            (self._folder / part.name).mkdir(parents=True)
            part.file = (self._folder / part.name / name).open("xb")
            self.files[part.name] = name

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.file is not None:
            self._file_bytes += end - start
            if self._file_bytes > self._max_bytes:
                raise too_large(self._max_bytes)
            part.file.write(memoryview(data)[start:end])
        elif part.is_file:
            raise Rejected(HTTPStatus.BAD_REQUEST, f"{part.name}: the file has no name.")
        else:
            part.text += data[start:end]
            if len(part.text) > _MOST_TEXT_BYTES:
                raise Rejected(HTTPStatus.BAD_REQUEST, f"{part.name}: longer than {_MOST_TEXT_BYTES} bytes.")

    def _end(self) -> None:
        part = self._part
        if part.file is not None:
            part.file.flush()
            os.fsync(part.file.fileno())  # the job that will name this file must not outlive it
            part.file.close()
        elif not part.is_file:  # a browser sends an empty, nameless file where none was chosen
            self.texts[part.name] = part.text.decode(errors="replace")

    def _all(self) -> None:
        self.complete = True


def too_large(max_bytes: int) -> Rejected:
    """The refusal of an upload above the cap."""
    return Rejected(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The upload is larger than this service accepts ({max_bytes} bytes; EXT_MAX_UPLOAD_BYTES).",
    )


def boundary_of(content_type: str) -> bytes:
    """The boundary of a multipart form.

    Raises:
        Rejected: 415 for any other content.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Rejected(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the video as multipart/form-data, in a part named video."
        )
    return options[b"boundary"]


async def receive(
    stream: AsyncIterator[bytes], boundary: bytes, folder: Path, *, max_bytes: int, declared_bytes: int
) -> Upload:
    """Read a whole form into `folder`, which this call makes; `declared_bytes` is its Content-Length, 0 for unknown.

    Raises:
        Rejected: 413 when the files exceed `max_bytes`, 400 or 422 for a form that cannot be read, 507 when the disk is full.
    """
    try:
        with ExitStack() as undo:
            undo.callback(Upload(folder, {}, {}).discard)
            _refuse_declared(declared_bytes, max_bytes)
            await to_thread.run_sync(_make_folder, folder)
            received = await _received(stream, boundary, folder, max_bytes)
            undo.pop_all()
    except Rejected:
        await linger(stream)
        raise
    except ClientDisconnect as exc:
        raise Rejected(HTTPStatus.BAD_REQUEST, "The upload broke off.") from exc
    except OSError as exc:
        raise Rejected(
            HTTPStatus.INSUFFICIENT_STORAGE, f"The upload could not be stored: {exc.strerror}."
        ) from exc
    return received


async def _received(stream: AsyncIterator[bytes], boundary: bytes, folder: Path, max_bytes: int) -> Upload:
    sink = _Sink(folder, max_bytes)
    try:
        parser = sink.parser(boundary)
        async for block in stream:
            await to_thread.run_sync(parser.write, block)
        parser.finalize()
    except FormParserError as exc:
        raise Rejected(HTTPStatus.BAD_REQUEST, "The form cannot be read as multipart/form-data.") from exc
    finally:
        sink.close()
    if not sink.complete:
        raise Rejected(HTTPStatus.BAD_REQUEST, "The form ends before its last boundary.")
    return Upload(folder, sink.texts, sink.files)


def _refuse_declared(declared_bytes: int, max_bytes: int) -> None:
    if declared_bytes > max_bytes + _FORM_BYTES:
        raise too_large(max_bytes)


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True)


async def linger(stream: AsyncIterator[bytes]) -> None:
    """Read the rest of a body and throw it away, up to 256 MiB."""
    left = _LINGER_BYTES
    with suppress(RuntimeError):  # the stream was read to its end already
        async for block in stream:
            left -= len(block)
            if left < 0:
                return


def sweep(media_dir: Path) -> None:
    """Remove what uploads left behind that a crash cut short."""
    shutil.rmtree(media_dir / INCOMING, ignore_errors=True)
