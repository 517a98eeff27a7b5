"""Starts a profile's container and waits until it serves; every way it can fail ends in LaunchFailed with advice."""

from __future__ import annotations

import errno
import json
import platform
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vlm_server.launch import faults
from vlm_server.launch.command import Wanted, container_name, docker_run
from vlm_server.launch.docker import Docker
from vlm_server.launch.faults import Advice, LaunchFailed
from vlm_server.launch.profile import Profile
from vlm_server.launch.settings import TOKEN

LOG_LINES: Final = 400
"""How much of a failed server's log is searched for the reason; vLLM's last traceback is well inside."""

_MACHINES: Final = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Patience:
    """How the wait goes on: seconds in all, between looks and between words to the person; sleep and clock come in."""

    most_s: float
    look_s: float = 1.0
    speak_s: float = 15.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def check_weights(profile: Profile, wanted: Wanted) -> None:
    """Refuse a model folder without weights, and gated weights without a token."""
    if wanted.model_dir is None:
        if profile.needs_token and TOKEN not in wanted.pass_on:
            raise LaunchFailed(faults.TOKEN_MISSING)
        return
    folder = Path(wanted.model_dir)
    needed = (
        [profile.model_file, profile.projector_file] if profile.engine == "llama.cpp" else ["config.json"]
    )
    missing = [name for name in needed if name and not (folder / name).is_file()]
    if missing:
        detail = (
            f"{folder} does not exist" if not folder.is_dir() else f"{folder} has no {', '.join(missing)}"
        )
        raise LaunchFailed(faults.NO_WEIGHTS, detail)


def start(profile: Profile, wanted: Wanted, patience: Patience, say: Callable[[str], None]) -> float:
    """Start the container and wait until it serves; seconds that took. Raises LaunchFailed, BadRequest."""
    port = wanted.port or profile.port
    known = {
        "name": container_name(port),
        "port": port,
        "image": profile.image,
        "model": profile.model.split(":")[0],
        "folder": wanted.model_dir or "DIR",
    }
    try:
        return _start(profile, wanted, patience, say)
    except LaunchFailed as failed:
        raise LaunchFailed(_filled(failed.advice, known), failed.detail) from failed


def _start(profile: Profile, wanted: Wanted, patience: Patience, say: Callable[[str], None]) -> float:
    command = docker_run(profile, wanted)
    check_weights(profile, wanted)
    port = wanted.port or profile.port
    docker = Docker()
    docker.check()
    _make_room(docker, port, wanted.bind)
    if _MACHINES.get(platform.machine(), "") not in profile.platforms:
        say(f"note: the profile is meant for {' and '.join(profile.platforms)}, this is {platform.machine()}")
    _fetch(docker, str(profile.image), say)
    if wanted.model_dir is None:
        Path(wanted.cache_dir).mkdir(parents=True, exist_ok=True)
    began = patience.clock()
    docker.start(command)
    base = f"http://{_reached(wanted.bind)}:{port}"
    _wait(docker, container_name(port), base + profile.health, patience, say)
    for words in profile.after_start:
        say(f"in the container: {' '.join(words)}")
        docker.execute(container_name(port), words)
    _check_name(profile, base, say)
    return patience.clock() - began


def _make_room(docker: Docker, port: int, bind: str) -> None:
    """A container left by a failed start makes way; one that runs, or another program, is named."""
    state = docker.state(container_name(port))
    if state is not None and state.status == "running":
        raise LaunchFailed(faults.RUNS_ALREADY)
    if state is not None:
        docker.remove(container_name(port))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                raise LaunchFailed(faults.NO_SUCH_ADDRESS, f"{bind}: {exc.strerror}") from exc
            raise LaunchFailed(faults.PORT_TAKEN, f"{bind}:{port}: {exc.strerror}") from exc


def _reached(bind: str) -> str:
    return "127.0.0.1" if bind == "0.0.0.0" else bind


def _fetch(docker: Docker, image: str, say: Callable[[str], None]) -> None:
    if not docker.has_image(image):
        say(f"fetching {image}; vLLM's images are 10 to 20 GB")
        docker.pull(image)


def _wait(docker: Docker, name: str, url: str, patience: Patience, say: Callable[[str], None]) -> None:
    began = spoke = patience.clock()
    while not _answers(url):
        state = docker.state(name)
        if state is None or not state.runs:
            log = docker.log(name, LOG_LINES)
            docker.stop(name)
            code, killed = (state.exit_code, state.out_of_memory) if state else (0, False)
            raise faults.from_log(log, code, out_of_memory=killed)
        now = patience.clock()
        if now - began > patience.most_s:
            raise LaunchFailed(faults.TOOK_TOO_LONG)
        if now - spoke >= patience.speak_s:
            spoke = now
            say(f"{now - began:4.0f} s  {docker.log(name, 1).strip()[-120:] or 'nothing in the log yet'}")
        patience.sleep(patience.look_s)


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(url, timeout=5) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 -- HTTP's own number
    except (urllib.error.URLError, OSError):
        return False


def _check_name(profile: Profile, base: str, say: Callable[[str], None]) -> None:
    """Tell when the server goes by another name; with a key set, it does not tell."""
    try:
        with _DIRECT.open(base + "/v1/models", timeout=10) as answer:
            served = [entry["id"] for entry in json.load(answer)["data"]]
    except (urllib.error.URLError, OSError, ValueError, KeyError, TypeError):
        return
    if profile.served_name not in {name.removesuffix(":latest") for name in served}:
        say(f"note: the server calls its model {', '.join(served)}, the profile says {profile.served_name}")


def _filled(advice: Advice, known: Mapping[str, object]) -> Advice:
    sentence, todo = advice.sentence, advice.todo
    for key, value in known.items():
        sentence, todo = (text.replace("{" + key + "}", str(value)) for text in (sentence, todo))
    return Advice(advice.fault, sentence, todo)
