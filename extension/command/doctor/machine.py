"""Checks of this machine: Python, packages, data folder, disk, database, port, GPU. Asks nobody else."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from extension.command.doctor.finding import Finding, failed, passed, warned
from extension.command.settings_page import strangers
from extension.errors import ExtensionError
from extension.settings import Settings
from extension.store import checkup

_NEEDED = (
    "av",
    "cv2",
    "fastapi",
    "gradio",
    "matplotlib",
    "numpy",
    "openai",
    "pyarrow",
    "sqlalchemy",
    "standardwebhooks",
    "uvicorn",
)
_LOW_BYTES = 2 * 1024**3
_GPU_S = 5.0


def look(settings: Settings, service: str) -> list[Finding]:
    """Everything about this machine; `service` is the address of the running service, or empty."""
    return [
        _python(),
        _packages(),
        *_settings(settings),
        _data_dir(settings.data_dir),
        _disk(settings.data_dir),
        _database(settings),
        _port(settings, service),
    ]


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 - started by hand it may be any Python
        return failed("python", found, "use Python 3.11 or newer")
    return passed("python", found)


def _packages() -> Finding:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return failed("packages", f"missing: {', '.join(missing)}", "run scripts/setup.sh")
    return passed("packages", "all there")


def _settings(settings: Settings) -> Iterator[Finding]:
    """Misspelt knobs of programs that would pass over them in silence."""
    for name in strangers(list(settings.beside)):
        yield warned("settings", f"nobody reads {name}", "mend its name; docs/settings.md has them all")


def _data_dir(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_text("", encoding="ascii")
        probe.unlink()
    except OSError as exc:
        fix = "set EXT_DATA_DIR to a folder that can be written"
        return failed("data folder", f"cannot be written ({exc.strerror})", fix)
    return passed("data folder", "can be written")


def _disk(folder: Path) -> Finding:
    free_bytes = shutil.disk_usage(folder if folder.exists() else Path()).free
    detail = f"{free_bytes / 1024**3:.1f} GiB free"
    if free_bytes < _LOW_BYTES:
        return warned("disk", detail, "free some space: uploads and the database need it")
    return passed("disk", detail)


def _database(settings: Settings) -> Finding:
    try:
        return passed("database", checkup.describe(settings.database))
    except ExtensionError as exc:
        return failed("database", str(exc), "mend EXT_DATABASE_URL, or the database it names")


def _port(settings: Settings, service: str) -> Finding:
    if service:
        return passed("service", f"runs at {service}")
    try:
        socket.create_server((settings.host, settings.port)).close()
    except OSError as exc:
        detail = f"port {settings.port} cannot be used ({exc.strerror})"
        return failed("service", detail, "end what uses it, or set EXT_PORT")
    return passed("service", f"not running; port {settings.port} is free")


def gpu() -> Finding:
    """What nvidia-smi tells of GPUs in this machine; that there is none is no fault."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return passed("gpu", "no nvidia-smi here; the embedded programs need none")
    query = [program, "--query-gpu=name,memory.total,memory.used", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=_GPU_S, check=False)  # noqa: S603 - a fixed question
    except (OSError, subprocess.TimeoutExpired):
        return warned("gpu", "nvidia-smi does not answer", "see the driver's log")
    rows = [row.split(", ") for row in done.stdout.strip().splitlines()]
    if done.returncode != 0 or not rows or any(len(row) != 3 for row in rows):  # noqa: PLR2004 - as many as were asked for
        return warned("gpu", "nvidia-smi finds no usable GPU", "see the driver's log")
    return passed("gpu", "; ".join(f"{name}, {used} of {total} MiB used" for name, total, used in rows))
