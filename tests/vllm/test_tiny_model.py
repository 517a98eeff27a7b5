"""The tiny model's files, as far as they can be judged without the libraries that write its weights."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest

from chunk_caption import budget, packing, probe, request

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
if str(SCRIPTS) not in sys.path:
    sys.path.append(str(SCRIPTS))  # scripts are no package

import vllm_tiny_model  # noqa: E402 -- only importable from here on


def rendered(messages: list[dict[str, Any]], *, answer_follows: bool = True) -> str:
    """Messages in the chat template."""
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 -- no page
    template = environment.from_string(vllm_tiny_model._TEMPLATE)
    return template.render(messages=messages, add_generation_prompt=answer_follows)


def test_turns_are_marked() -> None:
    """As in every chat of the Qwen family."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."}]
    turns = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello.<|im_end|>\n"
    assert rendered(messages, answer_follows=False) == turns
    assert rendered(messages) == f"{turns}<|im_start|>assistant\n"


@pytest.mark.parametrize(
    ("part", "sign"),
    [
        ({"type": "image"}, "<|image_pad|>"),
        ({"type": "image_url", "image_url": {"url": "x"}}, "<|image_pad|>"),
        ({"type": "video"}, "<|video_pad|>"),
        ({"type": "video_url", "video_url": {"url": "x"}}, "<|video_pad|>"),
    ],
    ids=["image", "image_url", "video", "video_url"],
)
def test_media_stand_where_they_were_sent(part: dict[str, Any], sign: str) -> None:
    """Between their two signs, texts before and after them kept."""
    content = [{"type": "text", "text": "a"}, part, {"type": "text", "text": "b"}]
    text = rendered([{"role": "user", "content": content}], answer_follows=False)
    assert text == f"<|im_start|>user\na<|vision_start|>{sign}<|vision_end|>b<|im_end|>\n"


def test_pictures_and_videos_are_measured_as_the_budget_does() -> None:
    """Cells of 32 pixels and the limits of Qwen3-VL-8B-Instruct, from another place than the product's."""
    pixels = vllm_tiny_model._PIXELS
    assert pixels["patch_size"] * pixels["merge_size"] == budget._CELL_PX
    limits = (*vllm_tiny_model._PICTURE_PX.values(), *vllm_tiny_model._FILM_PX.values())
    assert limits == (
        *(budget._LEAST_IMAGE_PX, budget._MOST_IMAGE_PX),
        *(budget._LEAST_VIDEO_PX, budget._MOST_VIDEO_PX),
    )


def test_the_vocabulary_is_learned_from_the_words_of_requests() -> None:
    """The files are found, and hold what requests say."""
    assert {path.name for path in vllm_tiny_model._TEXTS} == {"packing.py", "probe.py", "request.py"}
    assert {Path(module.__file__ or "").name for module in (packing, probe, request)} == {
        path.name for path in vllm_tiny_model._TEXTS
    }
    words = " ".join(path.read_text("utf-8") for path in vllm_tiny_model._TEXTS)
    assert all(word in words for word in ("seconds>", "Frame times in seconds", "You watch video"))


def test_what_it_likes_to_write_ends_what_is_open() -> None:
    """Texts, lists and objects of a JSON answer, and nothing that would go on for ever."""
    assert set(vllm_tiny_model._CLOSING) == set('"]}')
    assert not any(set(sign) <= vllm_tiny_model._CLOSING for sign in vllm_tiny_model._SIGNS)


def test_it_is_read_without_the_libraries_that_run_it() -> None:
    """They are imported by name where they are used, so that checks need not have them."""
    source = Path(vllm_tiny_model.__file__ or "").read_text("utf-8")
    imported = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imported if isinstance(node, ast.Import) for alias in node.names}
    assert not names & {"torch", "transformers", "tokenizers"}
    assert set(re.findall(r'import_module\("(\w+)"\)', source)) == {"torch", "transformers", "tokenizers"}
