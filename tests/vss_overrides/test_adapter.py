"""The override class as NVIDIA's engine and the embedded via-server see it: loaded by path, called by contract."""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from chunk_caption import config
from tests.vss_overrides.conftest import OVERRIDES, jpeg, padded
from tests.vss_overrides.vlm_double import SAFE_VERDICT, VlmDouble

PATH = OVERRIDES / "models" / "openai_compat" / "openai_compat_model.py"


@pytest.fixture
def model_class(vlm: VlmDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The class, in an environment that points at the double."""
    for name, value in vlm.environment.items():
        monkeypatch.setenv(name, value)
    config.from_environment.cache_clear()
    spec = importlib.util.spec_from_file_location("adapter_under_test", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.CompOpenAIModel
    config.from_environment.cache_clear()


@pytest.fixture
def model(model_class: Any) -> Iterator[Any]:
    """The class, constructed as in the engine's VLM process."""
    made = model_class(test_api_call=True)
    yield made
    made._captioner.close()


def chunk(start_s: float, end_s: float) -> SimpleNamespace:
    """What the engine tells of a chunk."""
    return SimpleNamespace(start_pts=int(start_s * 1e9), end_pts=int(end_s * 1e9), chunkIdx=3, streamId="s")


def test_a_chunk_is_answered_through_a_future(model: Any, vlm: VlmDouble) -> None:
    """One text and one dict of stats for a batch of one."""
    future = model.generate("?", [padded([jpeg(), jpeg()])], [[6.0, 6.5]], {}, [chunk(6, 8)])
    assert isinstance(future, Future)
    texts, stats = future.result(20)
    assert texts == [SAFE_VERDICT]
    assert (stats[0]["input_tokens"], stats[0]["output_tokens"]) == (100, 20)
    assert json.loads(stats[0]["reasoning_description"])["frames"] == 2
    assert vlm.requests[0].user_parts[1]["text"] == "Frame times in seconds: 0.00, 0.50"
    assert "lasts 2.00 seconds" in vlm.requests[0].user_parts[2]["text"]


def test_construction_calls_nobody(model: Any, vlm: VlmDouble) -> None:
    """Not even when the engine asks for its test call: the VLM may come up later."""
    assert model is not None
    assert vlm.models_asked == 0


def test_the_model_says_who_it_is(model_class: Any, vlm: VlmDouble) -> None:
    """Without being constructed, as the engine asks."""
    model_id, api_type, owner = model_class.get_model_info()
    port = vlm.endpoint.rpartition(":")[2].removesuffix("/v1")
    assert (model_id, api_type, owner) == ("test-vlm", "openai", f"http--127-0-0-1{port}-v1")


def test_only_what_the_request_set_is_passed_on(model: Any, vlm: VlmDouble) -> None:
    """A None counts as not set."""
    sampling = {
        "max_new_tokens": 99,
        "temperature": None,
        "seed": 5,
        "system_prompt": "Be brief.",
        "top_k": 3,
    }
    model.generate("?", [padded([jpeg(), jpeg()])], [[0.0, 1.0]], sampling, [chunk(0, 2)]).result(20)
    body = vlm.requests[0].body
    assert (body["max_tokens"], body["temperature"], body["seed"]) == (99, 0, 5)
    assert body["messages"][0]["content"] == "Be brief."


def test_the_optional_arguments_may_be_left_out(model: Any, vlm: VlmDouble) -> None:
    """Times then count from the first frame and the length is not told."""
    model.generate("?", [padded([jpeg(), jpeg()])], [[6.0, 6.5]]).result(20)
    parts = vlm.requests[0].user_parts
    assert parts[1]["text"] == "Frame times in seconds: 0.00, 0.50"
    assert "lasts" not in parts[2]["text"]


@pytest.mark.parametrize(
    ("embeds", "times"),
    [
        pytest.param(np.zeros((1, 2, 50), dtype=np.uint8), [0.0, 1.0], id="zeros"),
        pytest.param(padded([jpeg()]), [0.0, 1.0], id="times-too-many"),
        pytest.param(np.zeros((1, 0, 0), dtype=np.uint8), [], id="no-frames"),
        pytest.param("text", [0.0], id="no-array"),
    ],
)
def test_bad_frames_do_not_raise_into_the_engine(model: Any, embeds: Any, times: list[float]) -> None:
    """The whole file would fail for one chunk."""
    texts, _ = model.generate("?", [embeds], [times], {}, [chunk(0, 2)]).result(20)
    assert json.loads(texts[0])["error"]["code"] == "NoFrames"


def test_a_missing_endpoint_stops_the_start(model_class: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable's name."""
    monkeypatch.setenv("VIA_VLM_ENDPOINT", "")
    config.from_environment.cache_clear()
    with pytest.raises(config.BadConfig, match="VIA_VLM_ENDPOINT"):
        model_class()


@pytest.mark.parametrize(
    "path", sorted(OVERRIDES.rglob("*.py")), ids=lambda path: str(path.relative_to(OVERRIDES))
)
def test_the_override_is_python_3_10(path: Path) -> None:
    """The engine's images before 2.4 have no newer one."""
    ast.parse(path.read_text(), feature_version=(3, 10))


def test_a_live_chunks_wall_clock_is_burnt_in_where_that_is_wanted(
    model_class: Any, vlm: VlmDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine states it for streams; the frames that arrive differ from those of a file."""
    monkeypatch.setenv("CHUNK_CAPTION_BURN_TIMES", "on")
    config.from_environment.cache_clear()
    model = model_class()
    row = padded([jpeg(90, 640, 360)])
    sent = []
    for stated in ("2026-11-06T12:00:00.000Z", "1970-01-01T00:00:06.000Z"):
        told = chunk(6, 8)
        told.start_ntp = stated
        model.generate("?", [row], [[6.5]], {}, [told]).result(20)
        sent.append(json.dumps(vlm.requests[-1].body))
    model._captioner.close()
    assert sent[0] != sent[1]
