"""Which programs are started for which settings, how they find one another, and that a failed start leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from extension.clock import SystemClock
from extension.errors import Unavailable
from extension.notify.receiver import SampleReceiver
from extension.settings import Settings, load
from extension.stack import embedded
from extension.stack.child import Child, Program
from extension.stack.embedded import EmbeddedStack
from extension.stack.settings import child_environment
from tests.pipeline.via_double import ViaDouble
from tests.vss_overrides.vlm_double import VlmDouble

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
Make = Callable[..., EmbeddedStack]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Settings with the given environment."""
    for name in list(os.environ):
        if name.startswith(("EXT_", "VIA_", "CHUNK_CAPTION_")):
            monkeypatch.delenv(name)

    def made(**environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load(None, **{"data_dir": tmp_path / "data", "port": 0})  # noqa: PIE804 - a mapping for mypy

    return made


def _stack(settings: Settings, tmp_path: Path, webhook: tuple[str, str] | None = None) -> EmbeddedStack:
    return EmbeddedStack(
        settings,
        media_dirs=(tmp_path / "videos",),
        webhook=webhook,
        page=False,
        clock=SystemClock(),
        say=_mute,
    )


def _mute(_text: str) -> None:
    """Say nothing."""


@pytest.mark.e2e
def test_with_nothing_configured_three_programs_run(
    configure: Callable[..., Settings], tmp_path: Path
) -> None:
    """Reference VLM, embedded via-server and service; the service says what it is connected to."""
    with _stack(configure(), tmp_path) as stack:
        assert set(stack.pids()) == {"reference-vlm", "via-server", "service"}
        about = requests.get(f"{stack.service_url}/api/v1/about", timeout=10).json()
        assert about["vlm_model"] == embedded.REFERENCE_MODEL
        assert "not a language model" in about["vlm_note"]
        pids = stack.pids().values()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.e2e
def test_a_setting_replaces_a_program(configure: Callable[..., Settings], tmp_path: Path) -> None:
    """With a via-server and a VLM of one's own only the service is started."""
    receiver = SampleReceiver(SECRET)
    receiver.start()
    with ViaDouble() as via, VlmDouble() as vlm:
        settings = configure(VIA_BACKEND=via.url, **vlm.environment)
        with _stack(settings, tmp_path, (receiver.url, SECRET)) as stack:
            assert set(stack.pids()) == {"service"}
            about = requests.get(f"{stack.service_url}/api/v1/about", timeout=10).json()
    receiver.stop()
    assert about["vlm_model"] == "double"
    assert about["vlm_note"] is None
    assert about["receivers"] == ["webhook"]


@pytest.mark.e2e
def test_a_via_server_of_ones_own_brings_its_own_vlm(
    configure: Callable[..., Settings], tmp_path: Path
) -> None:
    """The reference program is not started for nobody."""
    with ViaDouble() as via, _stack(configure(VIA_BACKEND=via.url), tmp_path) as stack:
        assert set(stack.pids()) == {"service"}


@pytest.mark.e2e
def test_a_program_that_does_not_start_takes_the_others_down(
    configure: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says whose fault it is; nothing keeps running."""
    started: list[Any] = []
    real = Child

    def recorded(program: Program, *args: Any) -> Any:
        if program.name == "service":
            program = Program("service", "tests.stack.sleeper", ("--fail",), program.env, 0, "/")
        started.append(real(program, *args))
        return started[-1]

    monkeypatch.setattr(embedded, "Child", recorded)
    with pytest.raises(Unavailable, match="service ended at start"), _stack(configure(), tmp_path):
        pass
    assert len(started) == 3
    assert [child.pid for child in started] == [None, None, None]


def test_children_never_ask_a_proxy_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is spared, and what was spared before stays spared."""
    monkeypatch.setenv("NO_PROXY", "plant.example")
    monkeypatch.delenv("no_proxy", raising=False)
    made = child_environment(X="1")
    assert made["NO_PROXY"] == made["no_proxy"] == "plant.example,127.0.0.1,localhost"
    assert made["X"] == "1"
    assert made["PATH"] == os.environ["PATH"]
