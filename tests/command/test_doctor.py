"""The doctor finds what is missing and says how to mend it; it fails only on what stops the service."""

from __future__ import annotations

import io
import json
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from extension import cli
from extension.clock import SystemClock
from extension.command.doctor import Finding, State, examine, machine, show
from extension.command.doctor.receivers import clocks
from extension.command.doctor.together import together
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


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings, SystemClock())}


def test_the_embedded_default_has_no_failure(configure: Configure) -> None:
    """A fresh machine passes, and is told plainly what the reference program is not."""
    found = _found(configure())
    assert State.FAIL not in {finding.state for finding in found.values()}
    assert found["vlm"].state is State.WARN
    assert "no language model" in found["vlm"].detail
    assert "packing, answers and times" in found["vlm"].fix
    assert not {"packing", "answers", "timestamps"} & set(found)


def test_healthy_neighbours_pass(configure: Configure) -> None:
    """A via-server, a VLM and a receiver that answer, with clocks that agree."""
    receiver = SampleReceiver(SECRET)
    receiver.start()
    with ViaDouble() as via, VlmDouble() as vlm:
        environment = {**vlm.environment, "EXT_WEBHOOK_URL": receiver.url, "EXT_WEBHOOK_SECRET": SECRET}
        found = _found(configure(VIA_BACKEND=via.url, **environment))
    receiver.stop()
    passing = ("via-server", "vlm", "via to vlm", "to webhook", "clocks")
    assert {found[name].state for name in passing} == {State.PASS}
    assert "via-server" in found["clocks"].detail
    assert "vlm" in found["clocks"].detail


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
        ("to webhook", "EXT_WEBHOOK_URL"),
    ):
        assert found[name].state is State.FAIL
        assert knob in found[name].fix


def test_everybody_who_hangs_is_given_up_at_once(configure: Configure, silent: str) -> None:
    """The total is bounded, whoever is asked; nothing is left out in silence."""
    settings = configure(
        VIA_BACKEND=silent,
        VIA_VLM_ENDPOINT=f"{silent}/v1",
        VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME="m",
        EXT_WEBHOOK_URL=silent,
        EXT_WEBHOOK_SECRET=SECRET,
    )
    began_s = time.monotonic()
    found = {finding.name: finding for finding in examine(settings, SystemClock(), within_s=1.0)}
    assert time.monotonic() - began_s < 4.0
    assert {found[name].state for name in ("via-server", "vlm")} == {State.FAIL}
    assert "in time" in found["vlm"].detail
    assert found["receivers"].state is State.WARN


def test_each_receiver_of_the_file_is_asked(configure: Configure, tmp_path: Path) -> None:
    """By its name; of its address only the host is shown."""
    receiver = SampleReceiver(SECRET)
    receiver.start()
    (tmp_path / "receivers.yaml").write_text(
        f"receivers:\n  - {{name: plant, url: '{receiver.url}/token-1', secret: {SECRET}}}\n"
        f"  - {{name: office, url: 'http://127.0.0.1:9/token-2', secret: {SECRET}}}\n"
    )
    found = _found(configure(EXT_RECEIVERS_FILE=str(tmp_path / "receivers.yaml")))
    receiver.stop()
    assert found["to plant"].state is State.PASS
    assert found["to office"].state is State.FAIL
    assert "EXT_RECEIVERS_FILE" in found["to office"].fix
    assert not [finding for finding in found.values() if "token" in finding.detail + finding.fix]


def test_a_receivers_file_that_cannot_be_read_fails(configure: Configure, tmp_path: Path) -> None:
    """With the loader's own words."""
    (tmp_path / "receivers.yaml").write_text("receivers: [{name: plant}]")
    found = _found(configure(EXT_RECEIVERS_FILE=str(tmp_path / "receivers.yaml")))
    assert found["receivers"].state is State.FAIL
    assert "url" in found["receivers"].detail


@pytest.mark.parametrize(
    ("skews_s", "state"),
    [({"vlm": 0.4, "via-server": -1.0}, State.PASS), ({"vlm": 0.0, "to plant": -90.0}, State.WARN)],
)
def test_clocks_that_differ_are_told(skews_s: dict[str, float], state: State) -> None:
    """Signatures carry the time."""
    (finding,) = clocks(skews_s)
    assert finding.state is state
    assert ("-90 s" in finding.detail) == (state is State.WARN)


def test_a_misspelt_knob_of_the_override_is_told(configure: Configure) -> None:
    """The override would pass it over."""
    found = _found(configure(CHUNK_CAPTION_PAKING="mp4"))
    assert found["settings"].state is State.WARN
    assert "CHUNK_CAPTION_PAKING" in found["settings"].detail


def test_a_taken_port_fails(configure: Configure) -> None:
    """Before the start finds out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = configure().model_copy(update={"port": taken.getsockname()[1]})
        assert _found(settings)["service"].state is State.FAIL


def test_a_folder_that_cannot_be_written_fails(configure: Configure, tmp_path: Path) -> None:
    """A file in the folder's place."""
    (tmp_path / "data").write_text("")
    found = _found(configure())
    assert found["data folder"].state is State.FAIL
    assert "EXT_DATA_DIR" in found["data folder"].fix


def test_a_database_of_another_kind_fails(configure: Configure, tmp_path: Path) -> None:
    """Named, and left as it is."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "timetravel.db").write_text("no database, but long enough to be read as one" * 30)
    assert _found(configure())["database"].state is State.FAIL


def _stand_in(folder: Path, script: str) -> None:
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("script", "state", "said"),
    [
        ("echo 'NVIDIA H200, 143771, 512'", State.PASS, "NVIDIA H200, 512 of 143771 MiB used"),
        ("printf 'A, 10, 1\\nB, 20, 2\\n'", State.PASS, "A, 1 of 10 MiB used; B, 2 of 20 MiB used"),
        ("echo 'NVIDIA-SMI has failed'; exit 9", State.WARN, "finds no usable GPU"),
        ("exit 0", State.WARN, "finds no usable GPU"),
    ],
)
def test_gpus_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, state: State, said: str
) -> None:
    """As nvidia-smi tells them; a driver that is broken is told, too."""
    _stand_in(tmp_path / "bin", script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    finding = machine.gpu()
    assert (finding.state, said in finding.detail) == (state, True)


def test_a_machine_without_a_gpu_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded programs need none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.gpu().state is State.PASS


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


def test_eighty_columns_are_enough() -> None:
    """Long words fold, brackets are no markup, the fix stands under its finding."""
    long = Finding("via to vlm", State.FAIL, "said [bold]404[/bold] " * 9, "mend VIA_VLM_ENDPOINT " * 6)
    text = io.StringIO()
    show([long, Finding("x", State.PASS, "ok")], Console(file=text, width=80), as_json=False)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "[bold]404[/bold]" in text.getvalue()
    assert lines[0].startswith("fail  via to vlm")
    assert sum("→" in line for line in lines) == 1
    assert lines[-1] == "1 passed, 0 to know of, 1 failed"


def test_the_command_passes_with_nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a newcomer types it, and as a program reads it."""
    monkeypatch.chdir(tmp_path)
    for name in ("VIA_BACKEND", "VIA_VLM_ENDPOINT", "EXT_WEBHOOK_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EXT_PORT", "0")
    runner = CliRunner()
    assert runner.invoke(cli.app, ["doctor"]).exit_code == 0
    done = runner.invoke(cli.app, ["doctor", "--json"])
    assert {"name", "state", "detail", "fix"} == set(json.loads(done.output)[0])


def test_work_is_done_side_by_side() -> None:
    """Each waits for the other; one that never ends is missing."""
    met = threading.Barrier(2)

    never = threading.Event()
    work = {
        "one": lambda: met.wait(5) >= 0,
        "other": lambda: met.wait(5) >= 0,
        "never": lambda: never.wait(30),
    }
    assert together(work, 1.0) == {"one": True, "other": True}
    never.set()
