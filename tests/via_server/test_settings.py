"""Command line and environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from via_server.settings import BadSettings, read

LEAST = ["--asset-dir", "assets"]


def test_defaults_are_the_engines() -> None:
    """Port 8100 on loopback, ten frames, the video's own size, no version in the path."""
    settings = read(LEAST, {})
    assert (settings.host, settings.port, settings.path_prefix) == ("127.0.0.1", 8100, "")
    assert (settings.frames_per_chunk, settings.input_width_px, settings.input_height_px) == (10, 0, 0)
    assert (settings.max_parallel_chunks, settings.default_prompt) == (4, "Summarize the video")
    assert settings.allowed_media_dirs == ()
    assert (settings.overrides_dir / "chunk_caption").is_dir()


def test_folders_are_resolved(tmp_path: Path) -> None:
    """A link to an allowed folder allows what it points to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    settings = read(
        [*LEAST, "--allowed-media-dir", str(tmp_path / "link"), "--allowed-media-dir", "/media"], {}
    )
    assert settings.allowed_media_dirs == ((tmp_path / "real").resolve(), Path("/media").resolve())


def test_the_environment_is_that_of_the_engine() -> None:
    """Empty and 0 mean not set."""
    environ = {
        "VLM_DEFAULT_NUM_FRAMES_PER_CHUNK": "20",
        "VLM_SYSTEM_PROMPT": "Be brief.",
        "VLM_INPUT_WIDTH": "0",
        "VLM_INPUT_HEIGHT": "",
        "VSS_API_ENABLE_VERSIONING": "true",
    }
    settings = read(LEAST, environ)
    assert (settings.frames_per_chunk, settings.system_prompt, settings.path_prefix) == (
        20,
        "Be brief.",
        "/v1",
    )
    assert (settings.input_width_px, settings.input_height_px) == (0, 0)


@pytest.mark.parametrize("value", ["twenty", "257", "-1", "2.5"])
def test_wrong_numbers_are_named(value: str) -> None:
    """With the variable and what it holds; all at once."""
    with pytest.raises(BadSettings) as told:
        read(LEAST, {"VLM_DEFAULT_NUM_FRAMES_PER_CHUNK": value, "VLM_INPUT_WIDTH": "15"})
    assert "VLM_DEFAULT_NUM_FRAMES_PER_CHUNK" in str(told.value)
    assert value in str(told.value)
    assert "VLM_INPUT_WIDTH" in str(told.value)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [*LEAST, "--port", "x"],
        [*LEAST, "--port", "65536"],
        [*LEAST, "--max-parallel-chunks", "0"],
        [*LEAST, "--max"],
    ],
)
def test_wrong_arguments_end_the_program(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With status 2 and a usage line."""
    with pytest.raises(SystemExit) as ended:
        read(arguments, {})
    assert ended.value.code == 2
    assert "usage: via_server" in capsys.readouterr().err
