"""The shell scripts parse, explain themselves and do nothing when there is nothing to do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted([*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci" / "run"])


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("script", SCRIPTS, ids=_name)
def test_a_script_parses_and_stops_at_the_first_error(script: Path) -> None:
    """Executable, strict, and bash agrees with its grammar."""
    text = script.read_text("utf-8")
    assert script.stat().st_mode & 0o111
    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "set -euo pipefail" in text
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.parametrize("script", SCRIPTS, ids=_name)
def test_a_script_passes_shellcheck(script: Path) -> None:
    """Where shellcheck is installed."""
    if shutil.which("shellcheck") is None and not (ROOT / ".venv" / "bin" / "shellcheck").exists():
        pytest.skip("shellcheck is not installed")
    checker = shutil.which("shellcheck") or str(ROOT / ".venv" / "bin" / "shellcheck")
    found = subprocess.run(
        [checker, "-x", str(script)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


def test_setting_up_again_does_nothing() -> None:
    """A second run of the set-up is silent when everything is there."""
    if not list((ROOT / ".venv").glob(".installed-*")):
        pytest.skip("this environment was not made by scripts/setup.sh")
    done = subprocess.run(
        [str(ROOT / "scripts" / "setup.sh"), "dev"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == ""


def test_a_wrong_argument_is_answered_with_the_usage() -> None:
    """One line, exit code 1."""
    done = subprocess.run(
        [str(ROOT / "scripts" / "setup.sh"), "everything"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "usage" in done.stderr


def test_ci_runs_what_people_run() -> None:
    """One vocabulary: CI calls the script, the script calls make."""
    assert "scripts/test.sh" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "check" in (ROOT / "scripts" / "test.sh").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for tool in ("ruff format --check", "ruff check", "mypy", "lint-imports", "pytest"):
        assert tool in makefile
