"""The docker command of a launch, decided without looking at anything."""

from __future__ import annotations

import json
import shlex
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_server.launch.command import BadRequest, Wanted, container_name, docker_run, env_lines, shown
from vlm_server.launch.profile import load, names

CACHE = PurePosixPath("/cache dir/hub")
CONTAINERS = [name for name in names() if load(name).is_container]


def _after(words: list[str], option: str) -> str:
    return words[words.index(option) + 1]


def test_the_default_launch() -> None:
    """Every part that matters, in docker's order: options, image, the server's words."""
    words = docker_run(load("qwen3-vl-8b"), Wanted(CACHE))
    assert words[:3] == ["docker", "run", "--detach"]
    assert _after(words, "--gpus") == "all"
    assert _after(words, "--shm-size") == "16g"
    assert _after(words, "--publish") == "0.0.0.0:38011:38011"
    assert _after(words, "--volume") == "/cache dir/hub:/root/.cache/huggingface"
    image = words.index("vllm/vllm-openai:v0.32.0")
    assert words[image - 2 : image + 3] == [
        "--entrypoint", "vllm", "vllm/vllm-openai:v0.32.0", "serve", "Qwen/Qwen3-VL-8B-Instruct",
    ]  # fmt: skip
    served = words[image:]
    assert _after(served, "--served-model-name") == "Qwen3-VL-8B-Instruct"
    assert json.loads(_after(served, "--media-io-kwargs")) == {"video": {"num_frames": -1, "fps": 4}}
    assert json.loads(_after(served, "--mm-processor-kwargs")) == {"do_sample_frames": False}
    assert "--enable-prompt-tokens-details" in served


def test_logs_of_the_container_are_bounded() -> None:
    """A server that runs for months does not fill the disk."""
    words = docker_run(load("ollama"), Wanted(CACHE))
    assert [word for word in words if word.startswith("max-")] == ["max-size=50m", "max-file=3"]


def test_a_model_folder_is_mounted_read_only() -> None:
    """And nothing is downloaded."""
    words = docker_run(load("qwen3-vl-8b"), Wanted(CACHE, model_dir=PurePosixPath("/srv/my models")))
    assert _after(words, "--mount") == "type=bind,source=/srv/my models,target=/models,readonly"
    assert _after(words, "serve") == "/models"
    assert "--volume" not in words


def test_llama_takes_its_files_from_a_folder() -> None:
    """Weights and projector; without a folder it fetches both by one name."""
    words = docker_run(load("llama-cpp"), Wanted(CACHE, model_dir=PurePosixPath("/srv/gguf")))
    assert _after(words, "--model") == "/models/Qwen3VL-8B-Instruct-Q4_K_M.gguf"
    assert _after(words, "--mmproj") == "/models/mmproj-Qwen3VL-8B-Instruct-F16.gguf"
    words = docker_run(load("llama-cpp"), Wanted(CACHE))
    assert _after(words, "--hf-repo") == "Qwen/Qwen3-VL-8B-Instruct-GGUF:Q4_K_M"
    assert "--gpus" not in words


@pytest.mark.parametrize(
    ("asked", "told"), [("1", "1"), ("device=1", "device=1"), ("device=0,1", '"device=0,1"')]
)
def test_gpus_are_told_as_docker_reads_them(asked: str, told: str) -> None:
    """A list of devices keeps its commas inside quotes of its own."""
    assert _after(docker_run(load("qwen3-vl-8b"), Wanted(CACHE, gpus=asked)), "--gpus") == told


def test_another_port_is_another_container() -> None:
    """Two launches on one machine do not meet."""
    words = docker_run(load("qwen3-vl-4b"), Wanted(CACHE, port=9000, bind="10.0.0.5"))
    assert _after(words, "--publish") == "10.0.0.5:9000:38011"
    assert _after(words, "--name") == container_name(9000) == "timetravel-vlm-9000"


def test_secrets_are_passed_on_by_name() -> None:
    """Their values stand in no command, no process list, no screen."""
    words = docker_run(load("qwen3-vl-8b"), Wanted(CACHE, pass_on=("HF_TOKEN", "VLLM_API_KEY")))
    after_env = [words[i + 1] for i, word in enumerate(words) if word == "--env"]
    assert after_env[:2] == ["HF_TOKEN", "VLLM_API_KEY"]


@pytest.mark.parametrize(
    ("switch", "value", "flag", "told"),
    [
        ("tensor-parallel", None, "--tensor-parallel-size", "2"),
        ("tensor-parallel", "4", "--tensor-parallel-size", "4"),
        ("replicas", "3", "--data-parallel-size", "3"),
        ("evs-pruning", "0.3", "--video-pruning-rate", "0.3"),
        ("max-model-len", "4096", "--max-model-len", "4096"),
        ("quantize-fp8", None, "--quantization", "fp8"),
    ],
)
def test_a_switch_changes_the_flags_it_says(switch: str, value: str | None, flag: str, told: str) -> None:
    """With its own value or the one given, once."""
    words = docker_run(load("qwen3-vl-8b"), Wanted(CACHE, switches=((switch, value),)))
    assert words.count(flag) == 1
    assert _after(words, flag) == told


def test_switches_add_up() -> None:
    """In the order they were asked for; JSON values stay JSON."""
    words = docker_run(
        load("qwen3-vl-8b"),
        Wanted(CACHE, switches=(("prefix-caching-off", None), ("speculative-decoding", None))),
    )
    assert "--no-enable-prefix-caching" in words
    assert json.loads(_after(words, "--speculative-config"))["method"] == "ngram"


@pytest.mark.parametrize(
    ("profile", "wanted", "words"),
    [
        pytest.param("qwen3-vl-8b", Wanted(CACHE, switches=(("turbo", None),)), "tensor-parallel", id="unknown"),
        pytest.param("ollama", Wanted(CACHE, switches=(("turbo", None),)), "none", id="no-switches"),
        pytest.param("qwen3-vl-8b", Wanted(CACHE, switches=(("replicas", "two"),)), "number", id="not-a-number"),
        pytest.param("qwen3-vl-8b", Wanted(CACHE, switches=(("replicas", "1.5"),)), "number", id="half"),
        pytest.param("qwen3-vl-8b", Wanted(CACHE, switches=(("kv-cache-fp8", "1"),)), "no value", id="no-value"),
        pytest.param("qwen3-vl-8b", Wanted(CACHE, gpus="none"), "llama-cpp", id="vllm-without-a-gpu"),
        pytest.param("ollama", Wanted(CACHE, model_dir=CACHE), "leave --model-dir out", id="ollama-folder"),
        pytest.param("remote-api", Wanted(CACHE), "no container", id="nothing-to-start"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(profile: str, wanted: Wanted, words: str) -> None:
    """With what to change."""
    with pytest.raises(BadRequest, match=words):
        docker_run(load(profile), wanted)


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_shown_command_is_the_run_command(name: str) -> None:
    """Pasted into a shell it gives the very words, whatever is in them."""
    words = docker_run(load(name), Wanted(CACHE, gpus="device=0,1"))
    assert shlex.split(shown(words).replace("\\\n", " ")) == words


@given(st.lists(st.text(st.characters(exclude_characters="\n\0", codec="utf-8"), min_size=1), max_size=8))
def test_any_words_can_be_shown(extra: list[str]) -> None:
    """Quotes, spaces and dollars come through."""
    words = ["docker", "run", *extra]
    assert shlex.split(shown(words).replace(" \\\n", " ")) == words


def test_the_lines_for_env() -> None:
    """Address and name of a container; settings of what needs none."""
    assert env_lines(load("qwen3-vl-8b"), 38011, seen_from="gw") == {
        "VIA_VLM_ENDPOINT": "http://gw:38011/v1",
        "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": "Qwen3-VL-8B-Instruct",
    }
    assert env_lines(load("ollama"), 1, seen_from="gw")["CHUNK_CAPTION_PACKING"] == "images"
    assert env_lines(load("cosmos-reason"), 1, seen_from="gw") == {"VIA_SERVER_MODEL": "cosmos-reason1"}
