"""Settings: all mistakes at once, by name; secrets stay secret."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from chunk_caption import config as override_config
from extension import settings
from extension.command import settings_page
from extension.errors import BadSettings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine gets in."""
    for name in list(os.environ):
        if name.startswith(("EXT_", "VIA_", "CHUNK_CAPTION_")):
            monkeypatch.delenv(name)


def test_defaults_are_the_embedded_default() -> None:
    """With nothing configured everything runs on loopback."""
    made = settings.load(None)
    assert (made.host, made.via_backend, made.vlm_endpoint) == ("127.0.0.1", "", "")
    assert made.database == f"sqlite:///{(Path('var') / 'timetravel.db').absolute()}"


def test_all_mistakes_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody likes to mend one, start, and meet the next."""
    monkeypatch.setenv("EXT_CHUNK_S", "0")
    monkeypatch.setenv("EXT_PROT", "8081")
    monkeypatch.setenv("EXT_TIMEZONE", "Asia/Soul")
    with pytest.raises(BadSettings) as caught:
        settings.load(None)
    for name in ("EXT_CHUNK_S", "EXT_PROT: no such setting", "EXT_TIMEZONE", "Asia/Soul"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        pytest.param({"EXT_WEBHOOK_URL": "http://127.0.0.1:1/x"}, "EXT_WEBHOOK_SECRET", id="no-secret"),
        pytest.param({"VIA_VLM_ENDPOINT": "http://127.0.0.1:1/v1"}, "DEPLOYMENT_NAME", id="no-model"),
        pytest.param({"VIA_BACKEND": "localhost:8100"}, "http://", id="no-scheme"),
        pytest.param({"EXT_PORT": "eighty"}, "EXT_PORT", id="no-number"),
    ],
)
def test_settings_that_belong_together(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], named: str
) -> None:
    """Half a configuration is a mistake that says what is missing."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings, match=named):
        settings.load(None)


def test_an_env_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without `export`, and unknown names stop the start there too."""
    env = tmp_path / ".env"
    env.write_text("export EXT_PORT=1234\nEXT_CHUNK_S=4\n# EXT_NOTHING=1\n")
    monkeypatch.setenv("EXT_CHUNK_S", "6")
    made = settings.load(env)
    assert (made.port, made.chunk_s) == (1234, 6)
    env.write_text("EXT_PROT=1\n")
    with pytest.raises(BadSettings, match="EXT_PROT"):
        settings.load(env)


def test_folders_are_split_at_colons(monkeypatch: pytest.MonkeyPatch) -> None:
    """As paths are written everywhere else."""
    monkeypatch.setenv("EXT_MEDIA_DIRS", "/videos:/more videos")
    assert settings.load(None).media_dirs == (Path("/videos"), Path("/more videos"))


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the object's text nor in an error."""
    monkeypatch.setenv("EXT_WEBHOOK_SECRET", "whsec_hidden")
    monkeypatch.setenv("VIA_VLM_API_KEY", "key_hidden")
    assert "hidden" not in repr(settings.load(None))
    monkeypatch.setenv("EXT_CHUNK_S", "0")
    with pytest.raises(BadSettings) as caught:
        settings.load(None)
    assert "hidden" not in str(caught.value)


def test_the_template_holds_every_knob() -> None:
    """Each with its sentence, commented out: the service's own and those of others."""
    template = settings_page.env_template()
    for field in settings.Settings.model_fields.values():
        assert f"# {field.description}\n# {field.alias}=" in template
    for knob in (*settings_page.COMPOSE, *settings_page.OVERRIDE):
        assert f"# {knob.sentence}\n# {knob.name}={knob.default}\n" in template
    assert all(line.startswith("#") for line in template.splitlines() if line)


def test_the_template_changes_nothing_when_all_of_it_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every default is written as it must be to be read again."""
    env = tmp_path / ".env"
    lines = [line.removeprefix("# ") for line in settings_page.env_template().splitlines()]
    env.write_text("\n".join(line for line in lines if re.match(r"[A-Z_]+=", line)))
    monkeypatch.chdir(tmp_path)
    assert settings.load(env).model_dump() == settings.load(None).model_dump()


class _Asked(dict[str, str]):
    """An environment that writes down which names were asked for."""

    def __init__(self, **values: str) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def test_the_overrides_knobs_are_those_it_reads() -> None:
    """Name for name, as its own config module asks the environment."""
    asked = _Asked(VIA_VLM_ENDPOINT="http://127.0.0.1:1/v1", CHUNK_CAPTION_FEW_SHOT_FILE="")
    override_config.read(asked)
    read = {name for name in asked.names if name.startswith("CHUNK_CAPTION_")}
    assert {knob.name for knob in settings_page.OVERRIDE} == read


@pytest.mark.parametrize("knob", [k for k in settings_page.OVERRIDE if k.default], ids=lambda knob: knob.name)
def test_the_overrides_defaults_are_those_it_takes(knob: settings_page.Knob) -> None:
    """Setting the default that is written down changes nothing."""
    environ = {"VIA_VLM_ENDPOINT": "http://127.0.0.1:1/v1"}
    assert override_config.read(environ | {knob.name: knob.default}) == override_config.read(environ)


def test_composes_knobs_are_those_of_its_file() -> None:
    """Name for name, and the defaults that stand there; two more are read by Compose itself and by NVIDIA's file."""
    text = (ROOT / "compose.override.yaml").read_text("utf-8")
    ours = {field.alias for field in settings.Settings.model_fields.values()}
    named = set(re.findall(r"\$\{([A-Z_]+)", text)) - {"PWD"} - ours
    listed = {knob.name: knob.default for knob in settings_page.COMPOSE}
    assert set(listed) == named | {"COMPOSE_FILE", "FRONTEND_PORT"}
    plain = dict(re.findall(r"\$\{([A-Z_]+):-([^${}]+)\}", text))
    assert {name: default for name, default in listed.items() if name in plain} == {
        name: default for name, default in plain.items() if name in listed
    }


def test_every_sentence_names_its_unit() -> None:
    """Where a name ends in one; and every knob has a sentence of its own."""
    knobs = [knob for part in settings_page.parts() for knob in part.knobs]
    assert len({knob.sentence for knob in knobs}) == len({knob.name for knob in knobs}) == len(knobs)
    units = {"_S": "econds", "_BYTES": "bytes", "_GB": "GB", "_CM": "centimetres"}
    for knob in knobs:
        assert knob.sentence.endswith("."), knob.name
        unit = next((word for end, word in units.items() if knob.name.endswith(end)), "")
        assert unit in knob.sentence, knob.name


def test_what_is_set_for_others_is_known_but_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the environment and from the file, the environment first; empty is not set."""
    env = tmp_path / ".env"
    env.write_text("CHUNK_CAPTION_PACKING=mp4\nexport CHUNK_CAPTION_RETRIES=5\nVIA_SERVER_MODEL=\nOTHER=1\n")
    monkeypatch.setenv("CHUNK_CAPTION_PACKING", "images")
    monkeypatch.setenv("VIA_SERVER_BIND", "0.0.0.0")
    assert settings.load(env).beside == {
        "CHUNK_CAPTION_PACKING": "images",
        "CHUNK_CAPTION_RETRIES": "5",
        "VIA_SERVER_BIND": "0.0.0.0",
    }


def test_misspelt_knobs_of_others_are_found() -> None:
    """They would be passed over in silence; the doctor tells."""
    names = ["CHUNK_CAPTION_PAKING", "CHUNK_CAPTION_PACKING", "VIA_SERVER_MODELS", "VIA_SERVER_MODEL", "PATH"]
    assert list(settings_page.strangers(names)) == ["CHUNK_CAPTION_PAKING", "VIA_SERVER_MODELS"]


@pytest.mark.parametrize("tail", ["", "/", "/chat/completions", "/chat/completions/", "/models"])
def test_the_address_of_a_route_is_taken_for_the_base_url(monkeypatch: pytest.MonkeyPatch, tail: str) -> None:
    """As the override takes it: NVIDIA's sample shows one."""
    monkeypatch.setenv("VIA_VLM_ENDPOINT", f"http://127.0.0.1:1/v1{tail}")
    monkeypatch.setenv("VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME", "m")
    assert settings.load(None).vlm_endpoint == "http://127.0.0.1:1/v1"
    assert override_config.read(os.environ).endpoint == "http://127.0.0.1:1/v1"
