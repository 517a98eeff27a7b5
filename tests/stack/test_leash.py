"""The leash ties a program to its parent and is otherwise not noticed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

LEASH = [sys.executable, "-m", "extension.stack.leash"]


def _run(parent: int, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LEASH, str(parent), *command], capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("code", [0, 7])
def test_the_programs_own_exit_code_is_seen(code: int) -> None:
    """The leash becomes the program."""
    done = _run(os.getpid(), sys.executable, "-c", f"print('hello'); raise SystemExit({code})")
    assert (done.returncode, done.stdout) == (code, "hello\n")


def test_arguments_arrive_as_they_are() -> None:
    """No shell in between."""
    odd = ["a b", "$HOME", "'", '"', "*"]
    done = _run(os.getpid(), sys.executable, "-c", "import sys; print(sys.argv[1:])", *odd)
    assert done.stdout.strip() == str(odd)


def test_a_parent_that_is_gone_already_is_noticed() -> None:
    """The program is not begun."""
    done = _run(os.getpid() + 1_000_000, sys.executable, "-c", "print('begun')")
    assert (done.returncode, done.stdout) == (1, "")
