"""The engine's official hook, called as engines 2.3.1 and 2.4 call it."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from chunk_caption import config
from tests.vss_overrides.conftest import OVERRIDES, jpeg
from tests.vss_overrides.engine_double import engine, forget
from tests.vss_overrides.vlm_double import SAFE_VERDICT, Reply, VlmDouble

FOLDER = OVERRIDES / "custom_model"
ROWS = [np.frombuffer(jpeg(shade), dtype=np.uint8) for shade in (10, 90, 200)]


@pytest.fixture
def model(vlm: VlmDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Makes the model as the engine does; keyword arguments are environment variables without their prefix."""
    made: list[Any] = []

    def make(**knobs: str) -> Any:
        knobs = {f"CHUNK_CAPTION_{name}": value for name, value in knobs.items()}
        for name, value in {**vlm.environment, **knobs}.items():
            monkeypatch.setenv(name, value)
        config.from_environment.cache_clear()
        spec = importlib.util.spec_from_file_location("inference", FOLDER / "inference.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made.append(module.Inference())
        return made[-1]

    yield make
    for inference in made:
        inference._captioner.close()
    config.from_environment.cache_clear()


def test_the_manifest_asks_for_whole_jpegs() -> None:
    """Unpadded and unscaled, as the packages of frames expect them."""
    told = yaml.safe_load((FOLDER / "manifest.yaml").read_text("utf-8"))
    assert told == {"input": {"number_of_frames": 20, "jpeg_encoded": True}}


def test_a_chunk_of_2_4_is_answered_with_its_times(model: Callable[..., Any], vlm: VlmDouble) -> None:
    """They count from the first frame; the answer is the text alone."""
    sampling = {"max_new_tokens": 99, "temperature": None, "system_prompt": "Be brief."}
    answer = model().generate("What?", ROWS, sampling, video_frames_times=[6.0, 6.5, 7.0])
    assert answer == SAFE_VERDICT
    (asked,) = vlm.requests
    assert asked.user_parts[1]["text"] == "Frame times in seconds: 0.00, 0.50, 1.00"
    assert asked.user_parts[-1]["text"].endswith("What?")
    assert (asked.body["max_tokens"], asked.body["temperature"]) == (99, 0)
    assert asked.body["messages"][0]["content"] == "Be brief."


def test_a_chunk_of_2_3_1_needs_a_setting(model: Callable[..., Any], vlm: VlmDouble) -> None:
    """That engine tells no times; none is made up."""
    error = json.loads(model().generate("What?", ROWS, {}))["error"]
    assert (error["code"], vlm.requests) == ("NoFrames", [])
    assert "CHUNK_CAPTION_FRAME_STEP_S" in error["message"]
    assert model(FRAME_STEP_S="0.25").generate("What?", ROWS, {}) == SAFE_VERDICT
    assert vlm.requests[0].user_parts[1]["text"] == "Frame times in seconds: 0.00, 0.25, 0.50"


def test_a_single_frame_is_a_picture(model: Callable[..., Any], vlm: VlmDouble) -> None:
    """It needs no time but its own."""
    assert model().generate("What?", ROWS[:1], {}) == SAFE_VERDICT
    assert [part["type"] for part in vlm.requests[0].user_parts] == ["text", "image_url", "text"]


@pytest.mark.parametrize(
    ("rows", "times"),
    [
        pytest.param([], [], id="no-frames"),
        pytest.param(ROWS, [0.0], id="too-few-times"),
        pytest.param([np.zeros(9, dtype=np.uint8)], [0.0], id="no-jpeg"),
    ],
)
def test_bad_frames_become_a_named_failure(model: Callable[..., Any], rows: Any, times: Any) -> None:
    """Nothing is raised into the engine."""
    assert json.loads(model().generate("What?", rows, {}, times))["error"]["code"] == "NoFrames"


def test_a_vlm_that_refuses_is_named(model: Callable[..., Any], vlm: VlmDouble) -> None:
    """As through the other adapter."""
    vlm.default = Reply(status=400)
    answer = model().generate("What?", ROWS, {}, [0.0, 0.1, 0.2])
    assert json.loads(answer)["error"]["code"] == "Refused"


def imported() -> None:
    """The hook's file, as each process of the engine imports it."""
    spec = importlib.util.spec_from_file_location("inference", FOLDER / "inference.py")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_the_engines_faults_are_mended_without_shadowing_anything(tmp_path: Path) -> None:
    """With the engine's own file of re-exports, importing the hook is enough: every chunk has frames, no file stays dropped."""
    with engine(tmp_path, stock=True) as package:
        imported()
        imported()
        getter = sys.modules["vlm_pipeline.video_file_frame_getter"].VideoFileFrameGetter()
        results = [getter.get_frames(f"chunk {number}", retain_pipeline=True) for number in range(10)]
        assert [frames for frames, *_ in results] == [[f"frame of chunk {number}"] for number in range(10)]
        pipeline = package.VlmPipeline()
        pipeline.request("file", 4, failing=2)
        assert pipeline.request("file", 4) == 4


def test_without_the_engine_the_hook_is_imported_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """It says that the fixes are off."""
    forget()
    imported()
    assert "fix is off" in caplog.text
