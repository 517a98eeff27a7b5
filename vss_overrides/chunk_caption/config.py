"""What the environment says: the endpoint, its key and the knobs of this package. It calls nobody."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chunk_caption import mp4
from chunk_caption.frames import BadFrame, size_px

SCHEMA_PATH = Path(__file__).with_name("verdict_schema_v1.json")
PACKINGS = ("auto", "images", "video_jpeg", "mp4")
DEFAULT_MODEL = "gpt-4o"  # the engine's own default for VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME
NO_KEY = "none"  # the openai library insists on a key; servers without one ignore it
_REST_PATHS = ("/chat/completions", "/models")


class BadConfig(ValueError):
    """The environment is wrong; the message names every variable at fault and holds no secret."""


@dataclass(frozen=True)
class Example:
    """One worked example: frames as JPEGs (perhaps none), the question about them, and the answer as it should be."""

    jpegs: tuple[bytes, ...] = field(repr=False)
    question: str
    answer: str


@dataclass(frozen=True)
class Config:
    """The settings of this package.

    `endpoint` ends in the API version (`.../v1`); `timeout_s` bounds one chunk with all its retries; `concurrency`
    is the number of chunks asked at once; `retries` counts the attempts after the first; `schema` is what
    answers must follow; `logprobs` asks for the answer's log-probabilities; `uuid` lets media carry a hash where the
    server knows it again; `examples` stand before every question; `frame_step_s` stands in for frame times where an
    engine tells none; `burn_times` draws frame times into the pictures.
    """

    endpoint: str
    model: str
    api_key: str = field(repr=False)
    packing: str
    timeout_s: float
    concurrency: int
    retries: int
    schema: dict[str, Any] = field(repr=False)
    logprobs: bool = False
    uuid: bool = True
    examples: tuple[Example, ...] = ()
    frame_step_s: float | None = None
    burn_times: bool = False


def read(environ: Mapping[str, str]) -> Config:
    """The configuration in `environ`. Raises BadConfig with all mistakes at once."""
    mistakes: list[str] = []

    def take(reader: Callable[[], Any]) -> Any:
        try:
            return reader()
        except ValueError as mistake:
            mistakes.append(str(mistake))
            return None

    endpoint = take(lambda: _endpoint(environ))
    api_key = take(lambda: _api_key(environ))
    packing = take(lambda: _packing(environ))
    timeout_s = take(lambda: _number(environ, "CHUNK_CAPTION_TIMEOUT_S", 120.0, 1.0, 3600.0))
    concurrency = take(lambda: int(_number(environ, "CHUNK_CAPTION_CONCURRENCY", 16, 1, 256)))
    retries = take(lambda: int(_number(environ, "CHUNK_CAPTION_RETRIES", 3, 0, 20)))
    schema = take(lambda: _schema(environ))
    logprobs = take(lambda: _choice(environ, "CHUNK_CAPTION_LOGPROBS", ("off", "on"))) == "on"
    uuid = take(lambda: _choice(environ, "CHUNK_CAPTION_MEDIA_UUID", ("auto", "off"))) == "auto"
    examples = take(lambda: _examples(environ))
    step_s = take(lambda: _number(environ, "CHUNK_CAPTION_FRAME_STEP_S", 0.0, 0.0, 3600.0)) or None
    burn_times = take(lambda: _choice(environ, "CHUNK_CAPTION_BURN_TIMES", ("off", "on"))) == "on"
    if mistakes:
        raise BadConfig("; ".join(mistakes))
    model = _text(environ, "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME") or DEFAULT_MODEL
    return Config(
        endpoint,
        model,
        api_key,
        packing,
        timeout_s,
        concurrency,
        retries,
        schema,
        logprobs=logprobs,
        uuid=uuid,
        examples=examples,
        frame_step_s=step_s,
        burn_times=burn_times,
    )


@functools.cache
def from_environment() -> Config:
    """The configuration of this process, read once."""
    return read(os.environ)


def public_model_id(config: Config) -> str:
    """The deployment name with every character that VSS refuses in a model id (such as `/`) replaced by `-`."""
    return re.sub(r"[^A-Za-z0-9_.\- ]", "-", config.model)[:256]


def public_owner(config: Config) -> str:
    """The endpoint in the form the engine shows as `owned_by`: no user, no password, no `:`, `/` or `.`."""
    parts = urlsplit(config.endpoint)
    shown = f"{parts.scheme}://{(parts.netloc).rpartition('@')[2]}{parts.path}"
    return re.sub(r"[^A-Za-z0-9\-]", "", shown.replace("/", "-").replace(".", "-"))


def _text(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _endpoint(environ: Mapping[str, str]) -> str:
    given = _text(environ, "VIA_VLM_ENDPOINT").rstrip("/")
    if not given:
        raise ValueError("VIA_VLM_ENDPOINT is not set; it is the base URL of the VLM and ends in /v1")
    for path in _REST_PATHS:  # the sample .env of the blueprint shows the full path of one route
        given = given.removesuffix(path)
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("VIA_VLM_ENDPOINT must be an http:// or https:// URL")
    return given


def _api_key(environ: Mapping[str, str]) -> str:
    key = _text(environ, "VIA_VLM_API_KEY") or _text(environ, "OPENAI_API_KEY") or NO_KEY
    if not (key.isascii() and key.isprintable()):
        raise ValueError("VIA_VLM_API_KEY holds characters that cannot stand in a header")
    return key


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    given = _text(environ, name) or choices[0]
    if given not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; it is {given!r}")
    return given


def _packing(environ: Mapping[str, str]) -> str:
    packing = _choice(environ, "CHUNK_CAPTION_PACKING", PACKINGS)
    if packing == "mp4" and mp4.encoder() is None:
        raise ValueError("CHUNK_CAPTION_PACKING is mp4, but neither PyAV nor OpenCV is here to encode it")
    return packing


def _number(environ: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    given = _text(environ, name)
    try:
        number = float(given) if given else default
    except ValueError:
        raise ValueError(f"{name} must be a number; it is {given!r}") from None
    if not least <= number <= most:
        raise ValueError(f"{name} must lie between {least:g} and {most:g}; it is {given!r}")
    return number


def _schema(environ: Mapping[str, str]) -> dict[str, Any]:
    path = Path(_text(environ, "CHUNK_CAPTION_SCHEMA_FILE") or SCHEMA_PATH)
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"CHUNK_CAPTION_SCHEMA_FILE {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"CHUNK_CAPTION_SCHEMA_FILE {path} is not JSON") from None
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise ValueError(f"CHUNK_CAPTION_SCHEMA_FILE {path} must hold a JSON schema of type object")
    return schema


def _examples(environ: Mapping[str, str]) -> tuple[Example, ...]:
    """The file holds a list of `{"question": ..., "answer": ..., "frames": [JPEG files, beside it]}`."""
    name = "CHUNK_CAPTION_FEW_SHOT_FILE"
    if not _text(environ, name):
        return ()
    path = Path(_text(environ, name))
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return tuple(
            _example(entry, path.parent) for entry in (listed if isinstance(listed, list) else [listed])
        )
    except OSError as error:
        raise ValueError(f"{name} {path}: {error.filename} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{name} {path} is wrong: {error}") from None


def _example(entry: object, folder: Path) -> Example:
    if not isinstance(entry, dict) or not {"question", "answer"} <= entry.keys() <= {
        "question",
        "answer",
        "frames",
    }:
        raise ValueError("an example has a question, an answer and perhaps frames, nothing else")
    question, answer, frames = entry["question"], entry["answer"], entry.get("frames", [])
    if not isinstance(frames, list) or not all(isinstance(part, str) for part in (question, answer, *frames)):
        raise ValueError("question and answer are texts, frames a list of file names")
    jpegs = tuple((folder / name).read_bytes() for name in frames)
    for name, jpeg in zip(frames, jpegs, strict=True):
        try:
            size_px(jpeg)
        except BadFrame:
            raise ValueError(f"{name} is no JPEG") from None
    return Example(jpegs, question, answer)
