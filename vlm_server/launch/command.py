"""Decides the exact `docker run` command of a profile. Pure: it looks at nothing and starts nothing."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from vlm_server.launch.profile import Flags, Profile, Switch

MODEL_MOUNT: Final = "/models"
_CACHES: Final = {
    "vllm": "/root/.cache/huggingface",
    "llama.cpp": "/cache",
    "ollama": "/root/.ollama",
}


class BadRequest(Exception):
    """The options do not fit the profile; the message says what to change."""


@dataclass(frozen=True)
class Wanted:
    """What the person asked for.

    Attributes:
        model_dir: folder with the weights, mounted read-only; None downloads them into the cache.
        cache_dir: where downloaded weights are kept between launches.
        port: port on this machine; None takes the profile's.
        bind: address of this machine that the port is opened on.
        gpus: what docker's `--gpus` takes: `all`, a number, or `device=0,1`; None is the profile's own choice.
        switches: switches by name, with a value or None.
        pass_on: names of variables of this environment that the container gets; values never stand in the command.
    """

    cache_dir: PurePath
    model_dir: PurePath | None = None
    port: int | None = None
    bind: str = "0.0.0.0"
    gpus: str | None = None
    switches: tuple[tuple[str, str | None], ...] = ()
    pass_on: tuple[str, ...] = ()


def container_name(port: int) -> str:
    """One container per port, so that launching again finds the one before."""
    return f"timetravel-vlm-{port}"


def docker_run(profile: Profile, wanted: Wanted) -> list[str]:
    """The command as a list of words. Raises BadRequest."""
    if not profile.is_container or profile.image is None or profile.shm_size is None:
        raise BadRequest(f"engine {profile.engine} starts no container")
    port = wanted.port or profile.port
    flags = _flags(profile, wanted.switches)
    return [
        *("docker", "run", "--detach", "--name", container_name(port), "--restart", "unless-stopped"),
        *_gpus(profile, wanted.gpus),
        *("--shm-size", profile.shm_size, "--publish", f"{wanted.bind}:{port}:{profile.port}"),
        *("--log-driver", "json-file", "--log-opt", "max-size=50m", "--log-opt", "max-file=3"),
        *_mounts(profile, wanted),
        *(word for name in wanted.pass_on for word in ("--env", name)),
        *(word for pair in profile.container_environment.items() for word in ("--env", "=".join(pair))),
        *(("--entrypoint", "vllm", profile.image, "serve") if profile.engine == "vllm" else (profile.image,)),
        *_weights(profile, wanted.model_dir),
        *_words(flags),
    ]


def shown(words: list[str]) -> str:
    """The command quoted for a shell, an option and its value per line."""
    lines = [" ".join(words[:2])]
    for word in words[2:]:
        joins = (
            lines[-1].split(" ", 1)[0].startswith("-") and " " not in lines[-1] and not word.startswith("-")
        )
        if joins:
            lines[-1] += " " + shlex.quote(word)
        else:
            lines.append(shlex.quote(word))
    return " \\\n  ".join(lines)


def env_lines(profile: Profile, port: int, *, seen_from: str) -> dict[str, str]:
    """Settings that point a client at the server, `seen_from` being this machine's name to the client."""
    if not profile.is_container:
        return dict(profile.settings)
    return {
        "VIA_VLM_ENDPOINT": f"http://{seen_from}:{port}/v1",
        "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": profile.served_name,
        **profile.settings,
    }


def _gpus(profile: Profile, wanted: str | None) -> list[str]:
    asked = wanted if wanted is not None else ("all" if profile.gpu else "none")
    if asked == "none":
        if profile.engine == "vllm":
            raise BadRequest("this profile needs a GPU; profiles llama-cpp and ollama run without one")
        return []
    # docker reads the value as CSV: a list of devices keeps its commas inside double quotes
    return ["--gpus", f'"{asked}"' if "," in asked else asked]


def _mounts(profile: Profile, wanted: Wanted) -> list[str]:
    if wanted.model_dir is not None:
        if profile.engine == "ollama":
            raise BadRequest("Ollama keeps its models itself; leave --model-dir out")
        return ["--mount", f"type=bind,source={wanted.model_dir},target={MODEL_MOUNT},readonly"]
    return ["--volume", f"{wanted.cache_dir}:{_CACHES[profile.engine]}"]


def _weights(profile: Profile, model_dir: PurePath | None) -> list[str]:
    if profile.engine == "ollama":
        return []
    if profile.engine == "vllm":
        return [MODEL_MOUNT if model_dir is not None else profile.model]
    if model_dir is None:
        return ["--hf-repo", profile.model]
    files = (f"{MODEL_MOUNT}/{profile.model_file}", f"{MODEL_MOUNT}/{profile.projector_file}")
    return ["--model", files[0], "--mmproj", files[1]]


def _flags(profile: Profile, asked: tuple[tuple[str, str | None], ...]) -> Flags:
    flags = dict(profile.flags)
    for name, value in asked:
        switch = profile.switches.get(name)
        if switch is None:
            raise BadRequest(
                f"this profile has no switch {name!r}; it has {', '.join(profile.switches) or 'none'}"
            )
        flags = {key: old for key, old in flags.items() if key not in switch.drops}
        flags |= _with_value(name, switch, value)
    return flags


def _with_value(name: str, switch: Switch, value: str | None) -> Flags:
    if value is None:
        return switch.flags
    if switch.value is None:
        raise BadRequest(f"switch {name!r} takes no value")
    default = switch.flags[switch.value]
    try:
        number = type(default)(value) if isinstance(default, int | float) else value
    except ValueError:
        raise BadRequest(f"switch {name!r} takes a number, not {value!r}") from None
    return {**switch.flags, switch.value: number}


def _words(flags: Flags) -> list[str]:
    words: list[str] = []
    for name, value in flags.items():
        words += [f"--{name}"] if value is True else [f"--{name}", _text(value)]
    return words


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict) else str(value)
