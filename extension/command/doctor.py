"""Checks what the service needs, and says beside each check how to mend it. Changes nothing."""

from __future__ import annotations

import enum
import importlib.util
import json
import shutil
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import requests
from rich.console import Console
from rich.table import Table

from extension.chunks.via_client import ViaClient
from extension.clock import Clock
from extension.command import lock
from extension.errors import ExtensionError
from extension.settings import Settings

_NEEDED = ("av", "cv2", "fastapi", "gradio", "numpy", "openai", "sqlalchemy", "standardwebhooks", "uvicorn")
_LOW_BYTES = 2 * 1024**3
_TIMEOUT_S = 5.0
_SKEW_S = 5.0


class State(enum.StrEnum):
    """How a check came out; only `FAIL` stops the service from doing its job."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, and how to mend it (empty when there is nothing to mend)."""

    name: str
    state: State
    detail: str
    fix: str = ""


def examine(settings: Settings, clock: Clock) -> list[Finding]:
    """Run all checks."""
    checks: list[Callable[[], Finding]] = [
        _python,
        _packages,
        lambda: _data_dir(settings.data_dir),
        lambda: _disk(settings.data_dir),
        lambda: _port(settings),
        lambda: _via(settings),
        lambda: _vlm(settings),
        lambda: _webhook(settings, clock),
    ]
    return [check() for check in checks]


def show(findings: Sequence[Finding], console: Console, *, as_json: bool) -> int:
    """Print the findings; returns the exit code: 1 when one fails."""
    if as_json:
        console.print_json(json.dumps([asdict(finding) for finding in findings]))
    else:
        console.print(_table(findings))
    return int(any(finding.state is State.FAIL for finding in findings))


def _table(findings: Sequence[Finding]) -> Table:
    colours = {State.PASS: "green", State.WARN: "yellow", State.FAIL: "red"}
    table = Table("check", "", "what was found", "what to do")
    for finding in findings:
        colour = colours[finding.state]
        table.add_row(finding.name, f"[{colour}]{finding.state}[/{colour}]", finding.detail, finding.fix)
    return table


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < (3, 11):  # noqa: UP036 - started by hand it may be any Python
        return Finding("python", State.FAIL, found, "use Python 3.11 or newer")
    return Finding("python", State.PASS, found)


def _packages() -> Finding:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("packages", State.FAIL, f"missing: {', '.join(missing)}", "run scripts/setup.sh")
    return Finding("packages", State.PASS, "all there")


def _data_dir(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_text("", encoding="ascii")
        probe.unlink()
    except OSError as exc:
        fix = "set EXT_DATA_DIR to a folder that can be written"
        return Finding("data folder", State.FAIL, f"cannot be written ({exc.strerror})", fix)
    return Finding("data folder", State.PASS, "can be written")


def _disk(folder: Path) -> Finding:
    free_bytes = shutil.disk_usage(folder if folder.exists() else Path()).free
    detail = f"{free_bytes / 1024**3:.1f} GiB free"
    if free_bytes < _LOW_BYTES:
        return Finding("disk", State.WARN, detail, "free some space: uploads and the database need it")
    return Finding("disk", State.PASS, detail)


def _port(settings: Settings) -> Finding:
    running = lock.running_at(settings.data_dir)
    if running and _answers(f"{running}/health/live"):
        return Finding("service", State.PASS, f"runs at {running}")
    try:
        socket.create_server((settings.host, settings.port)).close()
    except OSError as exc:
        detail = f"port {settings.port} cannot be used ({exc.strerror})"
        return Finding("service", State.FAIL, detail, "end what uses it, or set EXT_PORT")
    return Finding("service", State.PASS, f"not running; port {settings.port} is free")


def _via(settings: Settings) -> Finding:
    if not settings.via_backend:
        return Finding("via-server", State.PASS, "the embedded one will be started")
    client = ViaClient(settings.via_backend, timeout_s=_TIMEOUT_S)
    try:
        client.ready()
        model = client.model()
    except ExtensionError as exc:
        return Finding("via-server", State.FAIL, str(exc), "start it, or mend VIA_BACKEND")
    return Finding("via-server", State.PASS, f"ready, model {model.id}")


def _vlm(settings: Settings) -> Finding:
    if not settings.vlm_endpoint and settings.via_backend:
        return Finding(
            "vlm", State.PASS, "the via-server's own; answers to questions are put together from facts"
        )
    if not settings.vlm_endpoint:
        detail = "the reference program will be started: it reads replays, it is no language model"
        return Finding("vlm", State.WARN, detail, "set VIA_VLM_ENDPOINT for camera footage")
    key = settings.vlm_api_key.get_secret_value()
    try:
        answer = requests.get(
            f"{settings.vlm_endpoint}/models",
            headers={"authorization": f"Bearer {key}"} if key else {},
            timeout=_TIMEOUT_S,
        )
        models = [str(model["id"]) for model in answer.json()["data"]]
    except (requests.RequestException, ValueError, KeyError, TypeError):
        return Finding("vlm", State.FAIL, "does not answer /models", "start it, or mend VIA_VLM_ENDPOINT")
    if settings.vlm_model not in models:
        detail = f"offers {', '.join(models[:5])}, not {settings.vlm_model}"
        return Finding("vlm", State.FAIL, detail, "mend VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME")
    return Finding("vlm", State.PASS, f"offers {settings.vlm_model}")


def _webhook(settings: Settings, clock: Clock) -> Finding:
    """Whether the receiver's machine answers, and whether its clock agrees with ours: signatures carry the time."""
    if not settings.webhook_url:
        state = State.PASS if settings.receivers_file else State.WARN
        fix = "" if settings.receivers_file else "set EXT_WEBHOOK_URL and EXT_WEBHOOK_SECRET"
        return Finding("webhook", state, "not configured; the sample receiver is used", fix)
    try:
        answer = requests.head(settings.webhook_url, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException:
        return Finding(
            "webhook", State.FAIL, "does not answer", "start the receiver, or mend EXT_WEBHOOK_URL"
        )
    skew_s = _skew_s(answer, clock)
    if skew_s is not None and abs(skew_s) > _SKEW_S:
        detail = f"its clock is {skew_s:+.0f} s from ours: signatures may be refused"
        return Finding("webhook", State.WARN, detail, "set both clocks by NTP")
    return Finding("webhook", State.PASS, "answers")


def _skew_s(answer: requests.Response, clock: Clock) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return (parsedate_to_datetime(answer.headers["date"]) - clock.now()).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=_TIMEOUT_S).ok
    except requests.RequestException:
        return False
