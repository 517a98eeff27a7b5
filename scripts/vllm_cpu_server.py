"""Starts the real `vllm serve` on a CPU with the tiny model, waits for it and stops it; tests and benchmarks share it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from extension.stack.settings import child_environment
from vllm_cpu import ROOT, NotToBeHad, memory_lacking, prepared
from vlm_server.launch import command, profile

MODEL: Final = "Qwen3-VL-8B-Instruct"
MAX_MODEL_LEN: Final = 8192
USERS_FLAGS: Final = (
    *("--max-model-len", str(MAX_MODEL_LEN), "--max-num-seqs", "256", "--max-num-batched-tokens", "8192"),
    *("--media-io-kwargs", json.dumps({"video": {"num_frames": -1}})),
)
"""What people start Qwen3-VL with today: every frame, and no word about the clock."""

_START_S: Final = 300.0
_STOP_S: Final = 15.0
_ENVIRONMENT: Final = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PYTHONDONTWRITEBYTECODE": "",  # three processes read the same modules, and read them again at the next start
}


@dataclass(frozen=True)
class Running:
    """A server that answers: its base URL, which ends in /v1, and the process id of its group."""

    endpoint: str
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point an override at it."""
        return {
            "VIA_VLM_ENDPOINT": self.endpoint,
            "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": MODEL,
            "VIA_VLM_API_KEY": "none",
        }


def profile_flags(name: str = "qwen3-vl-8b", switches: Sequence[str] = ()) -> tuple[str, ...]:
    """The flags that the project's own launch profile starts vLLM with, those about the machine left out."""
    wanted = command.Wanted(
        cache_dir=PurePath("cache"),
        model_dir=PurePath("model"),
        switches=tuple((switch, None) for switch in switches),
    )
    words = command.docker_run(profile.load(name), wanted)
    words = words[words.index(command.MODEL_MOUNT, words.index("serve")) + 1 :]
    kept: list[str] = []
    for word in words:
        if word.startswith("--"):
            about_machine = word in ("--host", "--port", "--gpu-memory-utilization", "--served-model-name")
        if not about_machine:
            kept.append(word)
    return tuple(kept)


def tiny_model(python: Path, folder: Path) -> Path:
    """The folder of a tiny model, written there first where it is missing. Raises NotToBeHad."""
    if not (folder / "config.json").exists():
        unfinished = folder.with_name(folder.name + ".new")
        script = ROOT / "scripts" / "vllm_tiny_model.py"
        done = subprocess.run(
            [str(python), str(script), str(unfinished)],
            env=child_environment(**_ENVIRONMENT),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise NotToBeHad(f"the tiny model could not be written: {_end_of(done.stderr)}")
        unfinished.rename(folder)
    return folder


@contextmanager
def serving(
    flags: Sequence[str], folder: Path, say: Callable[[str], object], *, api_key: str | None = None
) -> Iterator[Running]:
    """A server on a free port of loopback for as long as the context lasts. Log and model go into `folder`.

    Raises NotToBeHad where vLLM cannot be installed, or a server does not come up.
    """
    python = prepared(say)
    fault = memory_lacking()
    if fault:
        raise NotToBeHad(fault)
    model = tiny_model(python, folder / "tiny")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        *(sys.executable, "-m", "extension.stack.leash", str(os.getpid())),
        *(str(python), "-m", "vllm.entrypoints.cli.main", "serve", str(model)),
        *("--host", "127.0.0.1", "--port", str(port), "--served-model-name", MODEL, "--enforce-eager"),
        *flags,
        *(("--api-key", api_key) if api_key else ()),
    ]
    log = folder / f"vllm-{port}.log"
    say("starting vllm serve on a CPU, about half a minute")
    with log.open("wb") as stream:
        process = subprocess.Popen(
            words,
            cwd=ROOT,
            env=child_environment(**_ENVIRONMENT),
            stdout=stream,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait(process, port, log)
            yield Running(f"http://127.0.0.1:{port}/v1", process.pid)
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and all its processes; it may wait for its clients for ever when only asked to."""
    for sign, patience_s in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, _STOP_S)):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
    process.wait(_STOP_S)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until_s = time.monotonic() + _START_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    ended = "did not come up in time" if process.poll() is None else f"ended with {process.returncode}"
    raise NotToBeHad(f"vllm serve {ended}: {_end_of(log.read_text('utf-8', 'replace'))}")


def _end_of(text: str) -> str:
    return " ".join(text.split())[-400:]
