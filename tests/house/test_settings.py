"""Settings: all mistakes at once, by name; secrets stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from extension import settings
from extension.errors import BadSettings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine gets in."""
    import os

    for name in list(os.environ):
        if name.startswith(("EXT_", "VIA_")):
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
    """Each with its sentence, commented out."""
    template = settings.env_template()
    for field in settings.Settings.model_fields.values():
        assert f"# {field.description}\n# {field.alias}=" in template
