"""Reading the environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chunk_caption import config, mp4
from tests.vss_overrides.conftest import jpeg

ENDPOINT = {"VIA_VLM_ENDPOINT": "http://vlm:38011/v1"}


def test_an_endpoint_alone_is_enough() -> None:
    """Everything else has a default, the engine's own where it has one."""
    read = config.read(ENDPOINT)
    assert read.endpoint == "http://vlm:38011/v1"
    assert read.model == "gpt-4o"
    assert (read.packing, read.timeout_s, read.concurrency, read.retries) == ("auto", 120.0, 16, 3)
    assert read.schema["type"] == "object"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("http://vlm/v1/", "http://vlm/v1"),
        ("http://vlm/v1/chat/completions", "http://vlm/v1"),
        ("https://vlm/v1/models", "https://vlm/v1"),
        ("  http://vlm/v1  ", "http://vlm/v1"),
    ],
)
def test_the_path_of_a_route_is_taken_off_the_endpoint(given: str, taken: str) -> None:
    """The blueprint's sample file names the whole route, which the openai library would double."""
    assert config.read({"VIA_VLM_ENDPOINT": given}).endpoint == taken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VIA_VLM_ENDPOINT", ""),
        ("VIA_VLM_ENDPOINT", "vlm:38011/v1"),
        ("VIA_VLM_ENDPOINT", "ftp://vlm/v1"),
        ("VIA_VLM_API_KEY", "schlüssel\n"),
        ("CHUNK_CAPTION_PACKING", "gif"),
        ("CHUNK_CAPTION_TIMEOUT_S", "soon"),
        ("CHUNK_CAPTION_TIMEOUT_S", "0"),
        ("CHUNK_CAPTION_TIMEOUT_S", "nan"),
        ("CHUNK_CAPTION_CONCURRENCY", "0"),
        ("CHUNK_CAPTION_RETRIES", "-1"),
        ("CHUNK_CAPTION_SCHEMA_FILE", "/nowhere/schema.json"),
        ("CHUNK_CAPTION_LOGPROBS", "yes"),
        ("CHUNK_CAPTION_FRAME_STEP_S", "-1"),
        ("CHUNK_CAPTION_MEDIA_UUID", "1"),
        ("CHUNK_CAPTION_BURN_TIMES", "yes"),
        ("CHUNK_CAPTION_FEW_SHOT_FILE", "/nowhere/examples.json"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    """The message says which variable is wrong."""
    with pytest.raises(config.BadConfig, match=name):
        config.read(ENDPOINT | {name: value})


def test_all_mistakes_are_told_at_once() -> None:
    """One start shows everything there is to mend."""
    with pytest.raises(config.BadConfig) as told:
        config.read({"CHUNK_CAPTION_RETRIES": "many", "CHUNK_CAPTION_PACKING": "gif"})
    for name in ("VIA_VLM_ENDPOINT", "CHUNK_CAPTION_RETRIES", "CHUNK_CAPTION_PACKING"):
        assert name in str(told.value)


def test_a_wrong_key_is_not_repeated() -> None:
    """A key that cannot be sent is named, not shown."""
    with pytest.raises(config.BadConfig) as told:
        config.read(ENDPOINT | {"VIA_VLM_API_KEY": "geheimß"})
    assert "geheim" not in str(told.value)


def test_the_key_is_not_in_the_repr() -> None:
    """A configuration may be logged."""
    assert "sk-1" not in repr(config.read(ENDPOINT | {"VIA_VLM_API_KEY": "sk-1"}))


def test_the_general_key_stands_in() -> None:
    """OPENAI_API_KEY counts where VIA_VLM_API_KEY is not set."""
    assert config.read(ENDPOINT | {"OPENAI_API_KEY": "general"}).api_key == "general"
    both = ENDPOINT | {"OPENAI_API_KEY": "general", "VIA_VLM_API_KEY": "own"}
    assert config.read(both).api_key == "own"


def test_another_schema_can_be_given(tmp_path: Path) -> None:
    """The schema comes from a file when one is named; a file that is no object schema is refused."""
    path = tmp_path / "schema.json"
    path.write_text(json.dumps({"type": "object", "properties": {}}))
    assert config.read(ENDPOINT | {"CHUNK_CAPTION_SCHEMA_FILE": str(path)}).schema["properties"] == {}
    for wrong in ("[]", "{", '{"type": "array"}'):
        path.write_text(wrong)
        with pytest.raises(config.BadConfig, match="CHUNK_CAPTION_SCHEMA_FILE"):
            config.read(ENDPOINT | {"CHUNK_CAPTION_SCHEMA_FILE": str(path)})


def test_what_vss_shows_of_the_model_fits_its_patterns() -> None:
    """No slash in the id; no user, password or punctuation in the owner."""
    read = config.read(
        {
            "VIA_VLM_ENDPOINT": "http://user:secret@127.0.0.1:18999/v1",
            "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": "Qwen/Qwen3-VL-8B-Instruct",
        }
    )
    assert read.model == "Qwen/Qwen3-VL-8B-Instruct"
    assert config.public_model_id(read) == "Qwen-Qwen3-VL-8B-Instruct"
    assert config.public_owner(read) == "http--127-0-0-118999-v1"


def test_the_schema_is_bounded() -> None:
    """Every list and string of the verdict has a limit, so that a model that rambles still ends."""

    def unbounded(schema: dict[str, object], path: str) -> list[str]:
        kind, found = schema.get("type"), []
        if kind == "array" and "maxItems" not in schema:
            found.append(path)
        if kind == "string" and not {"maxLength", "enum"} & schema.keys():
            found.append(path)
        if kind == "object" and schema.get("additionalProperties") is not False:
            found.append(path)
        children = {"items": schema.get("items"), **dict(schema.get("properties") or {})}  # type: ignore[call-overload]  # a JSON schema, walked as it is
        for name, child in children.items():
            if isinstance(child, dict):
                found += unbounded(child, f"{path}.{name}")
        return found

    assert unbounded(config.read(ENDPOINT).schema, "verdict") == []


def test_examples_are_read_from_a_file(tmp_path: Path) -> None:
    """Texts, and frames by file beside it."""
    (tmp_path / "a.jpg").write_bytes(jpeg())
    path = tmp_path / "examples.json"
    entries = [{"question": "Q", "answer": "A"}, {"question": "R", "answer": "B", "frames": ["a.jpg"]}]
    path.write_text(json.dumps(entries))
    read = config.read(ENDPOINT | {"CHUNK_CAPTION_FEW_SHOT_FILE": str(path)})
    assert read.examples == (config.Example((), "Q", "A"), config.Example((jpeg(),), "R", "B"))
    assert config.read(ENDPOINT).examples == ()


@pytest.mark.parametrize(
    "entries",
    [
        "x",
        [7],
        [{"question": "Q"}],
        [{"question": "Q", "answer": 7}],
        [{"question": "Q", "answer": "A", "frame": []}],
        [{"question": "Q", "answer": "A", "frames": "a.jpg"}],
        [{"question": "Q", "answer": "A", "frames": ["missing.jpg"]}],
        [{"question": "Q", "answer": "A", "frames": ["examples.json"]}],
    ],
)
def test_wrong_examples_stop_the_start(tmp_path: Path, entries: object) -> None:
    """With the variable's name."""
    path = tmp_path / "examples.json"
    path.write_text(json.dumps(entries))
    with pytest.raises(config.BadConfig, match="CHUNK_CAPTION_FEW_SHOT_FILE"):
        config.read(ENDPOINT | {"CHUNK_CAPTION_FEW_SHOT_FILE": str(path)})


def test_mp4_needs_an_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A packing that cannot be made is a mistake at the start, not at the first chunk."""
    assert config.read(ENDPOINT | {"CHUNK_CAPTION_PACKING": "mp4"}).packing == "mp4"
    monkeypatch.setattr(mp4, "encoder", lambda: None)
    with pytest.raises(config.BadConfig, match="PyAV nor OpenCV"):
        config.read(ENDPOINT | {"CHUNK_CAPTION_PACKING": "mp4"})
