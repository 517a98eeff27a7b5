"""VLM endpoints that one suite of tests is run on: the reference server, and the real vLLM on a CPU with a tiny model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contracts import shared_server
from tests.vlm_server.conftest import announced

ROOT = Path(__file__).resolve().parents[2]
MARK = "vllm"
_PATIENCE_S = 900  # of the first test that needs the server: installing, starting, and a busy machine


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", f"{MARK}: asks a real vLLM on a CPU; skipped where it cannot be had")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the real vLLM come last and may wait for it; it then takes memory from no other test."""
    for item in items:
        if not item.path.is_relative_to(Path(__file__).parent):
            continue
        asked = getattr(item, "callspec", None)
        if "real_vllm" in getattr(item, "fixturenames", ()) or (
            asked and asked.params.get("endpoint") == MARK
        ):
            item.add_marker(MARK)
            item.add_marker(pytest.mark.timeout(_PATIENCE_S))
    items.sort(key=lambda item: item.get_closest_marker(MARK) is not None)


@dataclass(frozen=True)
class Endpoint:
    """A VLM endpoint: base URL ending in /v1, its model, the key it is asked with."""

    name: str
    url: str
    model: str
    key: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point an override at it."""
        return {
            "VIA_VLM_ENDPOINT": self.url,
            "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": self.model,
            "VIA_VLM_API_KEY": self.key,
        }

    @property
    def headers(self) -> dict[str, str]:
        """What a request shows the key with."""
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def root(self) -> str:
        """The server's own address, without the API's version."""
        return self.url.removesuffix("/v1")

    def ask(self, content: list[dict[str, Any]], **more: Any) -> requests.Response:
        """POST a chat completion with one message of the user."""
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": 64,
            "temperature": 0,
        }
        return requests.post(
            f"{self.url}/chat/completions", json=body | more, headers=self.headers, timeout=120
        )


@pytest.fixture(scope="session")
def real_vllm(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Endpoint]:
    """The real vLLM, shared by all workers; skipped with the reason where it cannot be had."""
    if not shared_server.wanted():
        pytest.skip(
            "the real vLLM is not installed here; TIMETRAVEL_VLLM=1 installs it for the tests (2.1 GB)"
        )
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "vllm"
    try:
        with shared_server.shared(folder, lambda text: print(text, file=sys.__stderr__)) as server:
            yield Endpoint("vllm", server.endpoint, shared_server.MODEL, shared_server.KEY)
    except shared_server.NotToBeHad as fault:
        pytest.skip(f"the real vLLM cannot be had here: {fault}")


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The reference server as a program of its own."""
    port_file = tmp_path_factory.mktemp("reference") / "port"
    command = [sys.executable, "-m", "vlm_server.reference", "--port", "0", "--port-file", str(port_file)]
    with subprocess.Popen(command, cwd=ROOT) as program:
        try:
            url = f"http://127.0.0.1:{announced(program, port_file)}/v1"
            yield Endpoint("reference", url, "replay-reference", "any")
        finally:
            program.terminate()
            program.wait(20)


@pytest.fixture(params=["reference", MARK])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """Each of the endpoints in turn."""
    found: Endpoint = request.getfixturevalue("reference" if request.param == "reference" else "real_vllm")
    return found
