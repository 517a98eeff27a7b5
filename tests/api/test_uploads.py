"""Uploads on a real server: sizes, broken forms, clients that vanish."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from extension.api import create_app, uploads
from extension.api.problems import Rejected
from tests.api.harness import Desk, StillClock, bound, served
from tests.api.memory_shelf import MemoryShelf

MIB = 1024**2


@pytest.fixture
def shelf(clock: StillClock) -> MemoryShelf:
    """In memory: what is tested here never reaches the store."""
    return MemoryShelf(clock)


@pytest.fixture
def small(desk: Desk) -> FastAPI:
    """A service that takes at most one MiB."""
    services = dataclasses.replace(desk.services, max_upload_bytes=MIB, registry=CollectorRegistry())
    return create_app(services)


def left_over(desk: Desk) -> list[Path]:
    """Files in the media folder, which may be changing meanwhile."""
    return [Path(at) / name for at, _, names in os.walk(desk.services.media_dir) for name in names]


def until_empty(desk: Desk) -> None:
    """Wait until nothing of an upload is left."""
    deadline = time.monotonic() + 10
    while left_over(desk):
        assert time.monotonic() < deadline, left_over(desk)
        time.sleep(0.01)


def test_a_real_upload_arrives_whole(address: str, clip: Path) -> None:
    """Through a socket, with the name in UTF-8."""
    with clip.open("rb") as file:
        answer = requests.post(f"{address}/api/v1/jobs", files={"video": ("사고.mp4", file)}, timeout=30)
    assert answer.status_code == 202
    assert answer.json()["name"] == "사고.mp4"
    video = requests.get(f"{address}{answer.headers['Location']}/video", timeout=30)
    assert video.content == clip.read_bytes()


def test_an_upload_above_the_cap_is_refused_by_its_declared_size(small: FastAPI, desk: Desk) -> None:
    """413 reaches a client that listens only after sending, and nothing touched the disk."""
    with served(small, bound()) as address:
        answer = requests.post(
            f"{address}/api/v1/jobs", files={"video": ("a.mp4", b"x" * 3 * MIB)}, timeout=30
        )
    assert answer.status_code == 413
    assert str(MIB) in answer.json()["detail"]
    assert left_over(desk) == []


def test_an_upload_of_undeclared_size_is_cut_at_the_cap(small: FastAPI, desk: Desk) -> None:
    """Chunked transfer says no size: the bytes are counted as they come."""

    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 65536
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    with served(small, bound()) as address:
        answer = requests.post(f"{address}/api/v1/jobs", data=body(), headers=headers, timeout=30)
    assert answer.status_code == 413
    assert left_over(desk) == []


def test_a_file_of_exactly_the_cap_is_looked_at(small: FastAPI) -> None:
    """The cap counts the file, not the form around it: this one is refused for what it holds."""
    with served(small, bound()) as address:
        answer = requests.post(f"{address}/api/v1/jobs", files={"video": ("a.mp4", b"x" * MIB)}, timeout=30)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        pytest.param("application/json", b"{}", 415, id="json"),
        pytest.param("", b"", 415, id="nothing"),
        pytest.param("multipart/form-data", b"x", 415, id="no-boundary"),
        pytest.param("multipart/form-data; boundary=b", b"garbage", 400, id="garbage"),
        pytest.param(f"multipart/form-data; boundary={'b' * 900}", b"x", 400, id="endless-boundary"),
        pytest.param("multipart/form-data; boundary=b", b"", 400, id="empty"),
        pytest.param(
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nhalf',
            400,
            id="half",
        ),
        pytest.param(
            "multipart/form-data; boundary=b", b"--b\r\nX: y\r\n\r\nz\r\n--b--\r\n", 400, id="nameless-part"
        ),
        pytest.param(
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="speed"\r\n\r\n1\r\n' * 2 + b"--b--\r\n",
            400,
            id="twice",
        ),
        pytest.param(
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="speed"\r\n\r\n' + b"1" * 5000 + b"\r\n--b--\r\n",
            400,
            id="long-text",
        ),
        pytest.param(
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\n1\r\n--b--\r\n',
            422,
            id="unknown-file",
        ),
        pytest.param(
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="video"; filename=""\r\n\r\n1\r\n--b--\r\n',
            400,
            id="nameless-file",
        ),
        pytest.param(
            "multipart/form-data; boundary=b",
            b"".join(b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % i for i in range(40))
            + b"--b--\r\n",
            400,
            id="many-parts",
        ),
    ],
)
def test_a_broken_form_is_a_problem(
    address: str, desk: Desk, content_type: str, body: bytes, status: int
) -> None:
    """Each in words, and nothing is left on the disk."""
    headers = {"Content-Type": content_type} if content_type else {}
    answer = requests.post(f"{address}/api/v1/jobs", data=body, headers=headers, timeout=30)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert left_over(desk) == []


def test_a_client_that_vanishes_leaves_nothing(address: str, desk: Desk) -> None:
    """The half of a file that arrived is removed, the service goes on."""
    host, port = address.removeprefix("http://").split(":")
    head = (
        "POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
    )
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(head.encode() + b"x" * 70000)
        deadline = time.monotonic() + 10
        while not left_over(desk):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    until_empty(desk)
    assert requests.get(f"{address}/api/v1/jobs", timeout=10).json() == []


def test_what_a_crash_left_is_swept_at_the_start(small: FastAPI, desk: Desk) -> None:
    """Unfinished uploads go; the files of jobs stay."""
    media = desk.services.media_dir
    (media / uploads.INCOMING / "u" / "video").mkdir(parents=True)
    (media / uploads.INCOMING / "u" / "video" / "half.mp4").write_bytes(b"x")
    (media / "kept").mkdir()
    (media / "kept" / "a.mp4").write_bytes(b"x")
    with served(small, bound()):
        assert left_over(desk) == [media / "kept" / "a.mp4"]


def receive(folder: Path, blocks: Any, max_bytes: int) -> uploads.Upload:
    """Run the receiver over blocks of bytes."""

    async def stream() -> AsyncIterator[bytes]:
        for block in blocks:
            yield block

    return asyncio.run(uploads.receive(stream(), b"b", folder, max_bytes=max_bytes, declared_bytes=0))


def form(size_bytes: int) -> Iterator[bytes]:
    """A form with one file of that size, in network blocks."""
    yield b'--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
    block = bytes(65536)
    for _ in range(size_bytes // len(block)):
        yield block
    yield b"\r\n--b--\r\n"


def test_memory_does_not_grow_with_the_upload(tmp_path: Path) -> None:
    """64 MiB pass through less than 2 MiB of memory."""
    tracemalloc.start()
    try:
        upload = receive(tmp_path / "u", form(64 * MIB), 65 * MIB)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert upload.path("video").stat().st_size == 64 * MIB
    assert peak_bytes < 2 * MIB


def test_a_full_disk_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """507, and what was written is removed."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Rejected, match="No space left on device") as caught:
        receive(tmp_path / "u", form(MIB), 2 * MIB)
    assert caught.value.status == 507
    assert not (tmp_path / "u").exists()


@pytest.mark.parametrize("cut", range(0, 130, 7))
def test_a_form_cut_anywhere_between_blocks_reads_the_same(tmp_path: Path, cut: int) -> None:
    """The network may cut a form at any byte."""
    whole = b"".join(form(0)).replace(b"\r\n\r\n", b"\r\n\r\nhello", 1)
    upload = receive(tmp_path / "u", [whole[:cut], whole[cut:]], MIB)
    assert upload.path("video").read_bytes() == b"hello"
