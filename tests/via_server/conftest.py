"""What the via-server's tests share: a model that does as it is told, and real servers on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import requests
import uvicorn

from tests.via_server.drawing import draw, even
from via_server import app
from via_server.host import Batch, ChunkInfo
from via_server.settings import Settings, read

MODEL = "test-vlm"


@dataclass(frozen=True)
class Call:
    """One call of `generate`, as the engine's contract has it."""

    prompt: str
    embeds: Any
    times_s: Sequence[float]
    config: dict[str, Any]
    chunk: ChunkInfo


@dataclass
class ScriptedModel:
    """A model class after the engine's contract. It answers the chunk's number, from a thread of its own.

    `gate` holds answers back while it is not set; chunks in `failing` raise; `direct` answers without a future;
    `reasoning` is reported beside each answer.
    """

    gate: threading.Event = field(default_factory=threading.Event)
    failing: set[int] = field(default_factory=set)
    direct: bool = False
    raising: bool = False
    nonsense: Any = None
    reasoning: str = ""
    calls: list[Call] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(64))

    def __post_init__(self) -> None:
        self.gate.set()

    @staticmethod
    def get_model_info() -> tuple[str, str, str]:
        """Who it is."""
        return MODEL, "openai", "nobody"

    def generate(
        self,
        prompt: str,
        video_embeds: Sequence[Any],
        video_frames_times: Sequence[Sequence[float]],
        generation_config: dict[str, Any] | None = None,
        chunk: Sequence[Any] | None = None,
    ) -> Future[Batch] | Batch:
        """Answer as scripted."""
        assert chunk is not None
        call = Call(prompt, video_embeds[0], video_frames_times[0], dict(generation_config or {}), chunk[0])
        with self._lock:
            self.calls.append(call)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        if self.raising:
            raise KeyError("scripted")
        return self._answer(call) if self.direct else self._pool.submit(self._answer, call)

    def _answer(self, call: Call) -> Batch:
        self.gate.wait(30)
        with self._lock:
            self._at_once -= 1
        if call.chunk.chunkIdx in self.failing:
            raise RuntimeError("scripted")
        if self.nonsense is not None:
            answer: Batch = self.nonsense
            return answer
        stats = {"input_tokens": 100, "output_tokens": 20, "reasoning_description": self.reasoning}
        return [f"answer {call.chunk.chunkIdx}"], [stats]

    def reset(self) -> None:
        """Forget the last test."""
        self.gate.set()
        self.failing, self.direct, self.raising, self.nonsense, self.reasoning = set(), False, False, None, ""
        with self._lock:
            self.calls, self.most_at_once, self._at_once = [], 0, 0

    def close(self) -> None:
        """Let go of everything held back."""
        self.gate.set()
        self._pool.shutdown()


class Via:
    """A via-server in this process, on a free port, spoken to over HTTP."""

    def __init__(self, settings: Settings, model: ScriptedModel) -> None:
        self.settings = settings
        self.model = model
        self._server = uvicorn.Server(
            uvicorn.Config(
                app.create(settings, model), port=0, log_level="critical", timeout_graceful_shutdown=2
            )
        )
        self._thread = threading.Thread(target=self._server.run)
        self.http = requests.Session()
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self._server.started)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}{self.settings.path_prefix}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.http.close()
        self._server.should_exit = True
        self._thread.join(20)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET."""
        return self.http.get(self.url + path, timeout=20, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """POST."""
        return self.http.post(self.url + path, timeout=20, **options)

    def delete(self, path: str) -> requests.Response:
        """DELETE."""
        return self.http.delete(self.url + path, timeout=20)

    def upload(self, path: Path, name: str | None = None, **fields: str) -> requests.Response:
        """POST /files with the content of `path`."""
        form = {"purpose": "vision", "media_type": "video"} | fields
        with path.open("rb") as content:
            return self.post("/files", data=form, files={"file": (name or path.name, content)})

    def by_path(self, path: Path | str, **fields: str) -> requests.Response:
        """POST /files naming a path."""
        form = {"purpose": "vision", "media_type": "video", "filename": str(path)} | fields
        return self.post("/files", files={name: (None, value) for name, value in form.items()})

    def add(self, path: Path) -> str:
        """Upload `path`; the file's id."""
        response = self.upload(path)
        assert response.status_code == 200, response.text
        file_id: str = response.json()["id"]
        return file_id

    def ask(self, file_id: str, **fields: Any) -> requests.Response:
        """POST /generate_vlm_captions."""
        body = {"id": file_id, "model": MODEL, "prompt": "What happened?"} | fields
        return self.post("/generate_vlm_captions", json=body)

    def captions(self, file_id: str, **fields: Any) -> dict[str, Any]:
        """The answer of a caption request that is fine."""
        response = self.ask(file_id, **fields)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.partition(" ")[2])
        raise AssertionError(f"no metric {name}")


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for `condition`, which must come true."""
    deadline_s = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come true in time"
        pause.wait(0.005)


def error_of(response: requests.Response) -> tuple[int, str, str]:
    """Status, code and message of a refusal, which must have the engine's shape."""
    body = response.json()
    assert set(body) == {"code", "message"}, body
    return response.status_code, body["code"], body["message"]


def events_of(text: str) -> list[Any]:
    """The data of each event of a stream: parsed, the last one as it is."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [entry if entry == "[DONE]" else json.loads(entry) for entry in data]


@pytest.fixture(scope="session")
def shared_model() -> Iterator[ScriptedModel]:
    """The one model of all servers."""
    scripted = ScriptedModel()
    yield scripted
    scripted.close()


@pytest.fixture
def model(shared_model: ScriptedModel) -> Iterator[ScriptedModel]:
    """A model that answers at once."""
    shared_model.reset()
    yield shared_model
    shared_model.gate.set()


@pytest.fixture(scope="session")
def shared_via(shared_model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Via]:
    """A server with default settings, started once."""
    with Via(read(["--asset-dir", str(tmp_path_factory.mktemp("assets"))], {}), shared_model) as running:
        yield running


def _deleted(via: Via, file_id: str) -> bool:
    return via.delete(f"/files/{file_id}").status_code == HTTPStatus.OK


@pytest.fixture
def via(shared_via: Via, model: ScriptedModel) -> Iterator[Via]:
    """A server with default settings and no files."""
    yield shared_via
    model.gate.set()
    until(lambda: shared_via.metric("video_file_queries_pending") == 0)
    for entry in shared_via.get("/files", params={"purpose": "vision"}).json()["data"]:
        until(partial(_deleted, shared_via, entry["id"]))


@pytest.fixture
def start(tmp_path: Path, model: ScriptedModel) -> Iterator[Callable[..., Via]]:
    """Starts servers; takes command line arguments, and environment variables as keywords."""
    running: list[Via] = []

    def run(*arguments: str, **environ: str) -> Via:
        settings = read(["--asset-dir", str(tmp_path / f"assets{len(running)}"), *arguments], environ)
        running.append(Via(settings, model).__enter__())
        return running[-1]

    yield run
    model.gate.set()
    for via in running:
        via.__exit__(None, None, None)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds at 10 frames per second."""
    return draw(tmp_path_factory.mktemp("clips") / "five.mp4", even(50, 10))
