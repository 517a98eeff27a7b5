"""The launch profiles: each is whole, pinned and honest, and a misspelt one is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from vlm_server.launch.profile import CONTAINERS, DEFAULT, FOLDER, BadProfile, Profile, load, names

QWEN = [name for name in names() if name.startswith("qwen3-vl")]
FULL = {
    "title": "A server",
    "engine": "vllm",
    "model": "someone/model",
    "served_name": "model",
    "image": "someone/image:v1",
    "image_checked": "not verified here",
    "platforms": ["amd64"],
    "shm_size": "16g",
    "measured_on": "not measured",
    "packing": "images",
}


def _write(folder: Path, **changes: Any) -> str:
    page = {key: value for key, value in {**FULL, **changes}.items() if value is not None}
    (folder / "made-up.yaml").write_text(yaml.safe_dump(page))
    return "made-up"


def test_the_launches_people_asked_for_are_there() -> None:
    """The default first; one file each."""
    assert names()[0] == DEFAULT == "qwen3-vl-8b"
    assert set(names()) == {
        "qwen3-vl-8b", "qwen3-vl-8b-fp8", "qwen3-vl-4b", "qwen3-vl-2b", "qwen3-vl-32b-fp8",
        "qwen3-vl-8b-nvfp4-gb10", "cosmos-reason", "remote-api", "llama-cpp", "ollama",
    }  # fmt: skip


@pytest.mark.parametrize("name", names())
def test_a_profile_is_whole(name: str) -> None:
    """It can be read, says what it was measured on, and its name suits VSS."""
    profile = load(name)
    assert profile.title
    assert profile.measured_on
    assert "/" not in profile.served_name
    assert profile.is_container == (profile.engine in CONTAINERS)
    assert profile.is_container or profile.settings


@pytest.mark.parametrize("name", [n for n in names() if load(n).is_container])
def test_a_container_is_pinned_and_says_what_is_known_of_it(name: str) -> None:
    """A tag with a version in it, the port of the wire, and no claim that was not checked."""
    profile = load(name)
    assert re.search(r":[a-z-]*v?\d", profile.image or "")
    assert "not verified here" in (profile.image_checked or "")
    assert profile.port == 38011
    host = {str(profile.flags.get("host")), *profile.container_environment.values()}
    assert host & {"0.0.0.0", "0.0.0.0:38011"}


@pytest.mark.parametrize("name", QWEN)
def test_qwen_sees_every_frame_at_its_time(name: str) -> None:
    """The flags that make video timestamps right, and an answer in a schema that ends."""
    flags = load(name).flags
    assert flags["media-io-kwargs"] == {"video": {"num_frames": -1, "fps": 4}}
    assert flags["mm-processor-kwargs"] == {"do_sample_frames": False}
    assert flags["structured-outputs-config"] == {"backend": "xgrammar", "disable_any_whitespace": True}
    assert flags["served-model-name"] == load(name).served_name
    assert flags["max-model-len"] == 8192


@pytest.mark.parametrize("name", QWEN)
def test_what_people_asked_about_is_a_switch_and_off(name: str) -> None:
    """Prefix cache, quantised cache, speculation, pruning, parallelism, replicas: documented, none on by itself."""
    profile = load(name)
    asked = {"prefix-caching-off", "kv-cache-fp8", "speculative-decoding", "evs-pruning", "tensor-parallel", "replicas"}  # fmt: skip
    assert asked <= set(profile.switches)
    flags_of_switches = {flag for switch in asked for flag in profile.switches[switch].flags}
    assert not flags_of_switches & set(profile.flags)
    assert all(switch.about for switch in profile.switches.values())


def test_profiles_of_one_kind_differ_only_where_they_must() -> None:
    """A flag changed in one file of the family and forgotten in another is found here."""
    flags = {name: dict(load(name).flags) for name in QWEN}
    assert flags["qwen3-vl-8b-nvfp4-gb10"].pop("gpu-memory-utilization") == 0.6
    for of in flags.values():
        del of["served-model-name"]
        of.pop("gpu-memory-utilization", None)
    assert all(of == flags[DEFAULT] for of in flags.values())
    assert len({load(name).image for name in QWEN}) == 1


def test_gb10_is_for_arm() -> None:
    """And says that its weights are one's own."""
    profile = load("qwen3-vl-8b-nvfp4-gb10")
    assert profile.platforms == ("arm64",)
    assert any("llm-compressor" in note for note in profile.notes)


def test_servers_that_take_no_video_get_pictures() -> None:
    """The override is told so, where nothing else could tell it."""
    for name in ("remote-api", "llama-cpp", "ollama"):
        assert load(name).packing == "images"
        assert load(name).settings["CHUNK_CAPTION_PACKING"] == "images"


def test_no_profile_holds_a_secret() -> None:
    """Keys and tokens are named in notes, never set."""
    for name in names():
        profile = load(name)
        for key in (*profile.settings, *profile.container_environment):
            assert not re.search(r"KEY|TOKEN|SECRET|PASSWORD", key), (name, key)


def test_a_profile_in_the_documents_exists() -> None:
    """And each that exists is in docs/deployment.md."""
    page = (FOLDER.parents[1] / "docs" / "deployment.md").read_text("utf-8")
    table = page.split("| profile |", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"`([a-z0-9-]+)`", table)) == set(names())


def test_a_whole_profile_is_taken(tmp_path: Path) -> None:
    """The one that the wrong ones below are made from."""
    profile = load(_write(tmp_path), tmp_path)
    assert isinstance(profile, Profile)
    assert profile.platforms == ("amd64",)
    assert profile.port == 38011


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"prot": 1}, ["prot"], id="unknown-key"),
        pytest.param({"gpu": {"memory_gb": 1.0, "reckoned": "so", "cards": 2}}, ["gpu.cards"], id="deeper"),
        pytest.param({"served_name": "a/b"}, ["served_name"], id="slash"),
        pytest.param({"image": "someone/image:latest"}, ["pinned"], id="latest"),
        pytest.param({"image": "someone/image"}, ["image"], id="no-tag"),
        pytest.param({"port": "38011"}, ["port"], id="text-for-a-number"),
        pytest.param({"port": 70000, "packing": "gif"}, ["port", "packing"], id="all-at-once"),
        pytest.param({"measured_on": None}, ["measured_on"], id="nothing-said-of-measuring"),
        pytest.param({"image_checked": None, "shm_size": None}, ["image_checked, shm_size"], id="not-whole"),
        pytest.param({"platforms": None}, ["platforms"], id="no-platform"),
        pytest.param({"flags": {"--port": 1}}, ["flags"], id="dashes"),
        pytest.param({"flags": {"quiet": False}}, ["flags.quiet"], id="a-flag-that-is-off"),
        pytest.param({"engine": "remote"}, ["starts no container"], id="flags-of-nothing"),
        pytest.param({"engine": "llama.cpp"}, ["model_file"], id="no-files"),
        pytest.param(
            {"switches": {"more": {"about": "x", "flags": {"a": 1}, "value": "b"}}}, ["'b'"], id="value-of-nothing"
        ),
    ],
)  # fmt: skip
def test_a_wrong_profile_is_refused_by_name(
    tmp_path: Path, changes: dict[str, Any], words: list[str]
) -> None:
    """One line with the file and every mistake."""
    with pytest.raises(BadProfile) as caught:
        load(_write(tmp_path, **changes), tmp_path)
    assert str(caught.value).startswith("made-up.yaml: ")
    assert all(word in str(caught.value) for word in words), caught.value
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    """By name."""
    (tmp_path / "made-up.yaml").write_text("a: [")
    with pytest.raises(BadProfile, match=r"made-up\.yaml cannot be read"):
        load("made-up", tmp_path)
    (tmp_path / "made-up.yaml").write_text("- a")
    with pytest.raises(BadProfile, match=r"made-up\.yaml: profile"):
        load("made-up", tmp_path)


@pytest.mark.parametrize("name", ["qwen", "../profiles/qwen3-vl-8b", ""])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    """And leads nowhere else on the disk."""
    with pytest.raises(BadProfile, match="qwen3-vl-8b-fp8"):
        load(name)
