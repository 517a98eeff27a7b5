"""Faults that take more than one request to show: of an endpoint that comes and goes, and of the engine; the benchmark of faults uses them."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from bench_fault_asking import ask, captioner_for, line_of
from bench_fault_rows import ANSWERED, Row
from extension.stack.settings import child_environment
from tests.via_server.drawing import draw, even
from tests.vss_overrides.engine_double import engine
from tests.vss_overrides.vlm_double import MODEL, Reply, VlmDouble
from vllm_cpu import ROOT
from vllm_cpu_server import Running

_PATIENCE_S: Final = 60.0
_CHUNKS: Final = 10
_LONG: Final = Row(
    "",
    ("Timeout", "Unreachable", "ServerError"),
    knobs={"TIMEOUT_S": "10", "RETRIES": "1"},
    sampling={"max_new_tokens": 6000},
)
"""An answer long enough to be interrupted; it needs the schema file of `rows`."""


def later() -> dict[str, Any]:
    """The server is down for the first chunk and up for the second."""
    row = Row("not up for the first chunk, up for the second", real=False, knobs={"RETRIES": "1"})
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    with VlmDouble() as double:
        captioner = captioner_for(double.environment | {"VIA_VLM_ENDPOINT": address}, row)
        first = ask({}, row, captioner)
        with _forwarding(address, double.endpoint):
            second = ask({}, row, captioner)
        captioner.close()
    said = f"first: {first.server_said}; then: {second.server_said}"
    return line_of(row, "double", replace(second, server_said=said)) | {
        "holds": (first.became, second.became) == ("Unreachable", ANSWERED)
    }


def not_openai() -> dict[str, Any]:
    """Some other web server."""
    row = Row("a server that is no OpenAI server", ("ServerError",), real=False, knobs={"RETRIES": "1"})
    with VlmDouble() as double:
        double.models = b"<html>Welcome</html>"
        double.default = double.probe_reply = Reply(raw=b"<html>Welcome</html>")
        return line_of(row, "double", ask(double.environment, row))


def no_tls() -> dict[str, Any]:
    """Https is spoken to a server that speaks http."""
    row = Row(
        "https:// to a server without TLS", ("Refused", "Unreachable"), real=False, knobs={"RETRIES": "1"}
    )
    with VlmDouble() as double:
        address = double.endpoint.replace("http://", "https://")
        return line_of(row, "double", ask(double.environment | {"VIA_VLM_ENDPOINT": address}, row))


def idle(environment: dict[str, str]) -> dict[str, Any]:
    """The connection was left alone until the server closed it."""
    row = Row("the kept connection was closed for idleness")
    captioner = captioner_for(environment, row)
    ask({}, row, captioner)
    parts = urlsplit(environment["VIA_VLM_ENDPOINT"])
    with socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=_PATIENCE_S) as kept:
        kept.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
        while kept.recv(4096):
            pass
    outcome = ask({}, row, captioner)
    captioner.close()
    return line_of(row, "real vLLM", outcome)


def interrupted(server: Running, environment: dict[str, str], folder: Path) -> dict[str, Any]:
    """The server is asked to end while it answers."""
    row = replace(_LONG, fault="SIGTERM while it answers", knobs={**_LONG.knobs, **_schema(folder)})
    return _during(server, environment, row, lambda: os.kill(server.pid, signal.SIGTERM))


def killed(server: Running, environment: dict[str, str], folder: Path) -> dict[str, Any]:
    """The process that computes is killed while it answers."""
    row = replace(
        _LONG, fault="its worker is killed while it answers", knobs={**_LONG.knobs, **_schema(folder)}
    )
    return _during(server, environment, row, lambda: os.kill(_worker_of(server.pid), signal.SIGKILL))


def no_frames(folder: Path) -> dict[str, Any]:
    """The engine's decoding pipeline delivers nothing when it is used again: ten chunks of a file, with and without the fix."""
    counts = []
    for stock in (True, False):
        (folder / f"getter-{stock}").mkdir()
        with engine(folder / f"getter-{stock}", stock=stock) as package:
            getter = package.vlm_pipeline.VideoFileFrameGetter()
            results = [
                getter.get_frames(f"chunk {number}", retain_pipeline=True) for number in range(_CHUNKS)
            ]
            counts.append(sum(bool(result[0]) for result in results))
    said = f"of {_CHUNKS} chunks {counts[0]} have frames as the engine comes"
    return _engine_line(
        "engine: no frames and no error", said, f"{counts[1]} have frames", counts[1] == _CHUNKS
    )


def drop_list(folder: Path) -> dict[str, Any]:
    """Two chunks fail at once, and the engine then drops every later chunk of the file: with and without the fix."""
    counts = []
    for stock in (True, False):
        (folder / f"list-{stock}").mkdir()
        with engine(folder / f"list-{stock}", stock=stock) as package:
            pipeline = package.VlmPipeline()
            pipeline.request("file", _CHUNKS, failing=2)
            counts.append(pipeline.request("file", _CHUNKS))
    said = f"the next request gets {counts[0]} of {_CHUNKS} responses as the engine comes"
    return _engine_line("engine: stale drop list", said, f"{counts[1]} responses", counts[1] == _CHUNKS)


def two_at_once(folder: Path) -> dict[str, Any]:
    """Two chunks of a file fail at once in the embedded via-server: the same request and the next one on that file are whole."""
    video = draw(folder / "clip.mp4", even(40, 10))
    with VlmDouble() as double, _via_server(folder, double.environment) as url:
        with video.open("rb") as stream:
            form = {"purpose": "vision", "media_type": "video"}
            told = requests.post(
                f"{url}/files", data=form, files={"file": stream}, timeout=_PATIENCE_S
            ).json()
        body = {"id": told["id"], "model": MODEL, "prompt": "What?", "chunk_duration": 1}
        double.script = [Reply(status=400, error="no")] * 2
        pages = [
            requests.post(f"{url}/generate_vlm_captions", json=body, timeout=_PATIENCE_S).json()[
                "chunk_responses"
            ]
            for _ in range(2)
        ]
    failed = [sum("error" in json.loads(chunk["content"]) for chunk in page) for page in pages]
    became = (
        f"{len(pages[0])} responses, {failed[0]} failed by name; then {len(pages[1])}, {failed[1]} failed"
    )
    holds = len(pages[0]) == len(pages[1]) == 4 and failed == [2, 0]  # noqa: PLR2004 -- seconds of the clip
    return _engine_line("two chunks fail at once, embedded via-server", "400, twice", became, holds)


def _engine_line(fault: str, said: str, became: str, holds: bool) -> dict[str, Any]:  # noqa: FBT001 -- private
    return {
        "fault": fault,
        "where": "double",
        "server": said,
        "became": became,
        "packing": "",
        "frames": 0,
        "retries": 0,
        "wall_s": 0.0,
        "bound_s": 0.0,
        "holds": holds,
    }


def _schema(folder: Path) -> dict[str, str]:
    return {"SCHEMA_FILE": str(folder / "long.json")}


def _during(
    server: Running, environment: dict[str, str], row: Row, strike: Callable[[], object]
) -> dict[str, Any]:
    """Strike as soon as the server is at work on the row's chunk."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, environment, row)
        until_s = time.monotonic() + _PATIENCE_S
        while not _at_work(server) and time.monotonic() < until_s and not asked.done():
            time.sleep(0.02)
        strike()
        return line_of(row, "real vLLM", asked.result())


def _at_work(server: Running) -> bool:
    """Whether it writes an answer of some length, so no probe's."""
    told = requests.get(f"{server.endpoint.removesuffix('/v1')}/metrics", timeout=_PATIENCE_S).text
    values = {line.split("{")[0]: float(line.rpartition(" ")[2]) for line in told.splitlines() if "{" in line}
    return (
        values.get("vllm:num_requests_running", 0.0) > 0
        and values.get("vllm:generation_tokens_total", 0.0) > 0
    )


def _worker_of(group: int) -> int:
    for entry in Path("/proc").iterdir():
        is_worker = entry.name.isdigit() and b"VLLM::Worker" in (entry / "cmdline").read_bytes()
        if is_worker and os.getpgid(int(entry.name)) == group:
            return int(entry.name)
    raise ProcessLookupError("the server has no worker")


@contextmanager
def _via_server(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    port_file = folder / "via.port"
    words = [sys.executable, "-m", "via_server", "--port", "0", "--port-file", str(port_file)]
    words += ["--asset-dir", str(folder / "assets")]
    own = {"CHUNK_CAPTION_RETRIES": "0", "PYTHONPATH": str(ROOT)} | environment
    with subprocess.Popen(
        words, cwd=ROOT, env=child_environment(**own), stderr=subprocess.DEVNULL
    ) as program:
        try:
            until_s = time.monotonic() + _PATIENCE_S
            while not port_file.exists() and time.monotonic() < until_s:
                time.sleep(0.05)
            yield f"http://127.0.0.1:{int(port_file.read_text())}"
        finally:
            program.terminate()


@contextmanager
def _forwarding(address: str, to: str) -> Iterator[None]:
    """Bytes that come to `address` go to another, and back."""
    target = urlsplit(to)
    with socket.create_server(("127.0.0.1", int(urlsplit(address).port or 0))) as listener:
        threading.Thread(target=_accept, args=(listener, target.port), daemon=True).start()
        yield


def _accept(listener: socket.socket, port: int) -> None:
    try:
        while True:
            ours, _ = listener.accept()
            theirs = socket.create_connection(("127.0.0.1", port))
            for one, other in itertools.permutations((ours, theirs)):
                threading.Thread(target=_copy, args=(one, other), daemon=True).start()
    except OSError:
        return


def _copy(one: socket.socket, other: socket.socket) -> None:
    try:
        while piece := one.recv(65536):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        return
