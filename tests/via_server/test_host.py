"""Loading the override class by path, and what passes between it and the server."""

from __future__ import annotations

import ast
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from via_server import host
from via_server.decoder import SampledChunk, SampledFrame
from via_server.host import CannotHost, ChunkInfo
from via_server.splitter import ChunkSpan

ROOT = Path(__file__).resolve().parents[2]
INFO = ChunkInfo(
    "stream", 1, "/a.mp4", 2_500_000_000, 4_000_000_000, is_first=False, is_last=True, asset_dir="/assets"
)


def override(folder: Path, text: str) -> Path:
    """A folder of overrides whose one module holds `text`."""
    path = folder / "models" / "openai_compat" / "openai_compat_model.py"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return folder


WORKING = """
class CompOpenAIModel:
    def __init__(self, test_api_call=True):
        self.test_api_call = test_api_call
    @staticmethod
    def get_model_info():
        return "m", "openai", "o"
    def generate(self, prompt, video_embeds, video_frames_times, generation_config=None, chunk=None):
        return [prompt], [{"times": video_frames_times, "config": generation_config, "chunk": chunk}]
"""


def test_the_class_is_constructed_as_in_the_engines_main_process(tmp_path: Path) -> None:
    """Without its test call."""
    model: Any = host.load(override(tmp_path, WORKING))
    assert model.test_api_call is False
    assert model.get_model_info() == ("m", "openai", "o")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no override class at"),
        ("import a_module_that_is_not_there", "a_module_that_is_not_there"),
        ("class Other: pass", "CompOpenAIModel"),
        (
            "class CompOpenAIModel:\n    def __init__(self, test_api_call): raise ValueError('no endpoint')",
            "no endpoint",
        ),
    ],
)
def test_a_class_that_cannot_be_hosted_says_why(tmp_path: Path, text: str | None, reason: str) -> None:
    """Missing file, missing package, missing class, wrong configuration."""
    folder = tmp_path if text is None else override(tmp_path, text)
    with pytest.raises(CannotHost, match=reason):
        host.load(folder)


def test_a_direct_answer_becomes_a_future(tmp_path: Path) -> None:
    """The caller waits in one way."""
    model = host.load(override(tmp_path, WORKING))
    chunk = SampledChunk(
        ChunkSpan(1, 2_500_000_000, 4_000_000_000), (SampledFrame(b"\xff\xd8\xff\xd9", 2_516_700_000),)
    )
    future = host.ask(model, "?", chunk, {"seed": 1}, INFO)
    assert isinstance(future, Future)
    text, stats = host.only_answer(future.result())
    assert text == "?"
    assert stats == {"times": [[2.52]], "config": {"seed": 1}, "chunk": [INFO]}


@given(st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=12))
def test_rows_are_padded_with_zeros(jpegs: list[bytes]) -> None:
    """Each row holds its JPEG first; the longest has no padding."""
    rows = host.padded([SampledFrame(jpeg, 0) for jpeg in jpegs])
    assert rows.shape == (1, len(jpegs), max(map(len, jpegs)))
    assert rows.dtype == np.uint8
    for row, jpeg in zip(rows[0], jpegs, strict=True):
        assert row.tobytes() == jpeg.ljust(rows.shape[2], b"\0")


def test_a_chunk_knows_its_times_in_the_engines_terms() -> None:
    """Files count from 1970."""
    assert (INFO.start_ntp, INFO.end_ntp) == ("1970-01-01T00:00:02.500Z", "1970-01-01T00:00:04.000Z")
    assert (INFO.start_ntp_float, INFO.end_ntp_float) == (2.5, 4.0)
    assert INFO.get_timestamp(3661.0625) == "1970-01-01T01:01:01.062Z"


@pytest.mark.parametrize(
    "batch",
    [None, (), ([], []), (["a"], []), (["a", "b"], [{}, {}]), ([7], [{}]), (["a"], ["b"]), ("a", "b"), 7],
)
def test_only_one_text_and_its_stats_are_an_answer(batch: Any) -> None:
    """Anything else is the model's fault and named so."""
    with pytest.raises((TypeError, ValueError)):
        host.only_answer(batch)


def test_the_server_imports_none_of_the_other_programs() -> None:
    """It meets the override by path only."""
    for path in (ROOT / "via_server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.partition(".")[0] not in {
                    "extension",
                    "vlm_server",
                    "vss_overrides",
                    "chunk_caption",
                }, path
