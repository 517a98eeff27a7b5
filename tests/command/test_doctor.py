"""The doctor finds what is missing and says how to mend it; it fails only on what stops the service."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from extension.clock import SystemClock
from extension.command.doctor import Finding, State, examine, show
from extension.notify.receiver import SampleReceiver
from extension.settings import Settings, load
from tests.pipeline.via_double import ViaDouble
from tests.vss_overrides.vlm_double import VlmDouble

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
Configure = Callable[..., Settings]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Settings with the given environment."""

    def made(**environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load(None, data_dir=tmp_path / "data", port=0)

    return made


def _found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings, SystemClock())}


def test_the_embedded_default_has_no_failure(configure: Configure) -> None:
    """A fresh machine passes, and is told plainly what the reference program is not."""
    found = _found(configure())
    assert State.FAIL not in {finding.state for finding in found.values()}
    assert found["vlm"].state is State.WARN
    assert "no language model" in found["vlm"].detail


def test_healthy_neighbours_pass(configure: Configure) -> None:
    """A via-server, a VLM and a receiver that answer."""
    receiver = SampleReceiver(SECRET)
    receiver.start()
    with ViaDouble() as via, VlmDouble() as vlm:
        found = _found(
            configure(
                VIA_BACKEND=via.url,
                **vlm.environment,
                EXT_WEBHOOK_URL=receiver.url,
                EXT_WEBHOOK_SECRET=SECRET,
            )
        )
    receiver.stop()
    assert {found[name].state for name in ("via-server", "vlm", "webhook")} == {State.PASS}


def test_a_via_server_of_ones_own_needs_no_vlm_here(configure: Configure) -> None:
    """It has its own."""
    with ViaDouble() as via:
        assert _found(configure(VIA_BACKEND=via.url))["vlm"].state is State.PASS


def test_neighbours_that_are_away_fail_with_a_fix(configure: Configure) -> None:
    """Each with the setting to mend."""
    found = _found(
        configure(
            VIA_BACKEND="http://127.0.0.1:9",
            VIA_VLM_ENDPOINT="http://127.0.0.1:9/v1",
            VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME="m",
            EXT_WEBHOOK_URL="http://127.0.0.1:9/x",
            EXT_WEBHOOK_SECRET=SECRET,
        )
    )
    for name, knob in (
        ("via-server", "VIA_BACKEND"),
        ("vlm", "VIA_VLM_ENDPOINT"),
        ("webhook", "EXT_WEBHOOK_URL"),
    ):
        assert found[name].state is State.FAIL
        assert knob in found[name].fix


def test_a_vlm_without_the_named_model_fails(configure: Configure) -> None:
    """The names it does offer are shown."""
    with VlmDouble() as vlm:
        found = _found(configure(**{**vlm.environment, "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": "other"}))
    assert found["vlm"].state is State.FAIL
    assert "not other" in found["vlm"].detail


def test_a_taken_port_fails(configure: Configure) -> None:
    """Before the start finds out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = configure().model_copy(update={"port": taken.getsockname()[1]})
        assert _found(settings)["service"].state is State.FAIL


def test_a_folder_that_cannot_be_written_fails(configure: Configure, tmp_path: Path) -> None:
    """A file in the folder's place."""
    (tmp_path / "data").write_text("")
    assert _found(configure())["data folder"].state is State.FAIL


@pytest.mark.parametrize(
    ("states", "code"),
    [([State.PASS, State.WARN], 0), ([State.PASS, State.FAIL], 1), ([], 0)],
)
def test_only_failures_make_the_exit_code(states: list[State], code: int) -> None:
    """A warning is not a failure; JSON holds every finding."""
    findings = [Finding(f"check {n}", state, "so", "do this") for n, state in enumerate(states)]
    text, page = io.StringIO(), io.StringIO()
    assert show(findings, Console(file=text, width=200), as_json=False) == code
    assert show(findings, Console(file=page), as_json=True) == code
    assert [finding["state"] for finding in json.loads(page.getvalue())] == states
    assert all(finding.fix in text.getvalue() for finding in findings)
