"""What the benchmarks promise, on a few of their rows, at every run of the tests that has a real vLLM."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

import bench_timestamps
import bench_vlm
from bench_asking import Asker
from tests.contracts.conftest import Endpoint

CASES = {case.name: case for case in bench_timestamps.cases()}


@pytest.fixture
def asker_for(real_vllm: Endpoint) -> Iterator[Callable[[str], Asker]]:
    """Makes askers of the real vLLM, one packing each."""
    made: list[Asker] = []

    def make(packing: str) -> Asker:
        made.append(Asker(real_vllm.environment, PACKING=packing))
        return made[-1]

    yield make
    for asker in made:
        asker.close()


def tokenized(endpoint: Endpoint, text: str) -> list[int]:
    """A plain text as the server's model counts it."""
    body = {"model": endpoint.model, "prompt": text, "add_special_tokens": False}
    answer = requests.post(f"{endpoint.root}/tokenize", json=body, headers=endpoint.headers, timeout=60)
    tokens: list[int] = answer.json()["tokens"]
    return tokens


def shown(endpoint: Endpoint, content: list[dict[str, Any]]) -> str:
    """What the model is given for a message."""
    response = endpoint.ask(content, max_tokens=1, return_token_ids=True)
    body = {"model": endpoint.model, "tokens": response.json()["prompt_token_ids"]}
    answer = requests.post(f"{endpoint.root}/detokenize", json=body, headers=endpoint.headers, timeout=60)
    prompt: str = answer.json()["prompt"]
    return prompt


@pytest.mark.parametrize(
    ("packing", "names"),
    [
        (
            "video_jpeg",
            ("4 a second", "an odd number", "uneven", "first frame late", "2 a second, past 10 s"),
        ),
        ("mp4", ("10 a second", "bursts", "two", "ten minutes into the file")),
        ("images", ("15 a second", "uneven", "one every 3 s")),
    ],
)
def test_told_times_are_the_true_ones(
    asker_for: Callable[[str], Asker], packing: str, names: tuple[str, ...]
) -> None:
    """Read back from the server's own token ids, within 0.06 s; and the cost was known to the token."""
    asker = asker_for(packing)
    for name in names:
        row = bench_timestamps.row(asker, packing, CASES[name])
        assert row["off_s"] <= bench_timestamps.MOST_OFF_S, row
        assert row["mispredicted"] == 0, row
        assert row["frames"] == row["given"], row


def test_frames_that_do_not_fit_are_thinned_evenly(asker_for: Callable[[str], Asker]) -> None:
    """What is left out is left out of the told times as well."""
    row = bench_timestamps.row(asker_for("video_jpeg"), "video_jpeg", CASES["more than fit"])
    assert 20 < row["frames"] < row["given"]
    assert row["off_s"] <= bench_timestamps.MOST_OFF_S
    assert row["mispredicted"] == 0


@pytest.mark.parametrize(("count", "width_px", "height_px"), [(8, 480, 270), (16, 640, 360)])
def test_a_chunk_costs_about_half_of_the_stock_way(
    asker_for: Callable[[str], Asker], count: int, width_px: int, height_px: int
) -> None:
    """All that our way adds to the prompt against all that the stock way adds, and the frames alone."""
    askers = {packing: asker_for(packing) for packing in bench_vlm.PACKINGS}
    row = bench_vlm.size_row(askers, count, width_px, height_px)
    assert row["ratio"] <= bench_vlm.MOST_RATIO
    for packing in ("video_jpeg", "mp4"):
        assert row[packing]["frames_ratio"] <= bench_vlm.MOST_RATIO
    assert {row[packing]["off"] for packing in bench_vlm.PACKINGS} == {0}


def test_the_server_is_seen_for_what_it_is(asker_for: Callable[[str], Asker]) -> None:
    """The flags of the profile give frame lists a clock of four a second, and no frame is left out."""
    endpoint = asker_for("auto").endpoint
    assert endpoint.owned_by == "vllm"
    assert endpoint.max_model_len == 8192
    assert endpoint.video_jpeg is not None
    assert (endpoint.video_jpeg.fps, endpoint.video_jpeg.most_frames, endpoint.video_jpeg.options) == (
        4.0,
        None,
        False,
    )
    assert endpoint.uuid is True


@pytest.mark.parametrize(
    ("mark", "tokens"), [("<0.2 seconds>", 6), ("<12.3 seconds>", 7), ("<123.4 seconds>", 8)]
)
def test_the_tiny_model_counts_marks_as_the_real_one(real_vllm: Endpoint, mark: str, tokens: int) -> None:
    """Each digit and sign by itself, the word as one."""
    assert len(tokenized(real_vllm, mark)) == tokens


def test_the_tiny_model_knows_the_words_of_requests(real_vllm: Endpoint) -> None:
    """So that texts cost about what they cost with the real model: a word is a token."""
    text = "Frame times count from the start of this clip, which is second"
    words = re.findall(r"\w+|[^\w\s]", text)
    assert len(tokenized(real_vllm, text)) <= 1.3 * len(words)


def test_the_prompt_is_laid_out_as_a_chat(real_vllm: Endpoint) -> None:
    """Turns are marked, and the answer's turn is open."""
    assert shown(real_vllm, [{"type": "text", "text": "Hello."}]) == (
        "<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\n"
    )
