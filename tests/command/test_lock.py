"""One stack per data folder, however the last one ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from extension.command import lock
from extension.errors import BadSettings


@pytest.mark.parametrize("text", ["", "{", "[]", '{"address": 1}', "\x00"])
def test_a_damaged_note_is_no_address(tmp_path: Path, text: str) -> None:
    """Whatever a crash left behind."""
    (tmp_path / "service.json").write_text(text)
    assert lock.running_at(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_a_wrong_setting(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "data").write_text("")
    with pytest.raises(BadSettings, match="EXT_DATA_DIR"), lock.exclusive(tmp_path / "data"):
        pass


def test_a_killed_holder_frees_the_folder(tmp_path: Path) -> None:
    """The operating system takes the lock back."""
    code = (
        "import sys, time; from pathlib import Path; from extension.command import lock\n"
        "with lock.exclusive(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(lock.AlreadyRunning), lock.exclusive(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with lock.exclusive(tmp_path):
        assert lock.running_at(tmp_path) is None
