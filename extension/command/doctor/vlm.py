"""Asks the VLM itself: whether it is an OpenAI-compatible server with our model, and how it takes videos and schemas.

The programs do not import each other, so the override's first question to a server is asked here again, in small.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from extension.clock import Clock
from extension.command.doctor.asking import Asked, NoAnswer, skew_s
from extension.command.doctor.targets import Targets
from extension.command.doctor.together import together

REFERENCE_OWNER = "timetravel"
FRAMES = 34
"""Servers that leave frames out start at 33."""
WORD = "kestrel-7319"
"""What no model answers by itself."""
_TIMEOUT_S, _PROBE_S = 4.0, 12.0
_NO_KEY, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_MOST_TEXT_TOKENS = 100
_TICKS_PER_S, _FRAME_S = 100, 0.25
_SLACK_S = 0.06
_MARK = re.compile(r"<(\d+\.\d) seconds>")
_GREY = (  # a JPEG of 64 x 64 pixels
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6j"
    "q62rZ4C8ybqmx5moq6T/wAALCABAAEABAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAI"
    "AQEAAD8AAAAAAAAAAAAAAAAAAAAAAP/Z"
)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"code": {"type": "string", "enum": [WORD]}},
    "required": ["code"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Video:
    """How a server takes a list of JPEG frames.

    Attributes:
        taken: Whether it takes it at all; None when it was too slow to tell.
        marks_s: The times that the model is shown, in seconds, where the server lets them be read; else empty.
        told: Whether the frames' own times were sent along.
    """

    taken: bool | None = None
    marks_s: tuple[float, ...] = ()
    told: bool = False

    @property
    def true(self) -> bool:
        """Whether the model is shown the true times: of each pair of frames, their middle."""
        expected = [_FRAME_S * (2 * pair + 0.5) for pair in range(FRAMES // 2)]
        return len(self.marks_s) == len(expected) and all(
            abs(mark - true_s) <= _SLACK_S for mark, true_s in zip(self.marks_s, expected, strict=True)
        )

    @property
    def cut(self) -> bool:
        """Whether it leaves frames out."""
        return 0 < len(self.marks_s) < FRAMES // 2


@dataclass(frozen=True, slots=True)
class VlmSeen:
    """What was seen of a VLM.

    Attributes:
        trouble: Why it cannot be used; None when it can.
        reference: Whether it is the reference program.
        max_model_len: Tokens that fit into one request, answer included; None when it does not say.
        skew_s: How far its clock is ahead of ours; None when it does not say.
        video: How it takes a list of frames.
        schema: What came of a question with a schema: "honoured", "ignored", "refused", "endless" or "" (too slow to tell).
    """

    trouble: NoAnswer | None = None
    reference: bool = False
    max_model_len: int | None = None
    skew_s: float | None = None
    video: Video = field(default_factory=Video)
    schema: str = ""


def look(vlm: Asked, model: str, clock: Clock) -> VlmSeen:
    """Ask a VLM all there is to ask."""
    try:
        response = vlm.fetch("GET", "/models", _TIMEOUT_S)
        entry = _entry(vlm, model, response)
    except NoAnswer as exc:
        return VlmSeen(trouble=exc)
    limit = entry.get("max_model_len")
    reference = entry.get("owned_by") == REFERENCE_OWNER
    tries = {"video": lambda: _video(vlm, model), "schema": lambda: _schema(vlm, model)}
    done = {} if reference else together(tries, _PROBE_S)
    return VlmSeen(
        reference=reference,
        max_model_len=limit if isinstance(limit, int) else None,
        skew_s=skew_s(response, clock.now()),
        video=done.get("video", Video()),
        schema=done.get("schema", ""),
    )


def address_is_the_containers_own(targets: Targets) -> str:
    """The line to set where a container would take the VLM's address for its own; empty where there is no such risk."""
    if targets.own_loopback is None or targets.vlm is None:
        return ""
    parts = urlsplit(targets.vlm.url)
    return f"VIA_SERVER_VLM_ENDPOINT={parts.scheme}://host.docker.internal:{targets.own_loopback}{parts.path}"


def _entry(vlm: Asked, model: str, response: requests.Response) -> dict[str, Any]:
    """Our model in the answer of /models."""
    if response.status_code in (_NO_KEY, _FORBIDDEN):
        given = "refuses the key" if vlm.key else "wants a key"
        raise NoAnswer(f"{given} ({response.status_code})", "set VIA_VLM_API_KEY to the VLM's key")
    try:
        listed = response.json()["data"] if response.ok else None
        entries = {str(entry["id"]): entry for entry in listed or []}
    except (ValueError, KeyError, TypeError):
        entries = {}
    if not entries:
        raise _no_models(vlm, response)
    if model not in entries:
        raise NoAnswer(
            f"offers {', '.join(list(entries)[:5])}, not {model}",
            "set VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME to a name that it offers",
        )
    return dict(entries[model])


def _no_models(vlm: Asked, response: requests.Response) -> NoAnswer:
    """Why there are no models: mostly the address lacks its last part."""
    versioned = Asked(f"{vlm.url}/v1", vlm.setting, vlm.what, vlm.key)
    try:
        page = None if vlm.url.endswith("/v1") else versioned.page("/models", _TIMEOUT_S)
    except NoAnswer:
        page = None
    if isinstance(page, dict) and "data" in page:
        return NoAnswer("the address lacks its last part", f"append /v1 to {vlm.setting}")
    if response.is_redirect:
        return NoAnswer("sends callers elsewhere", f"set {vlm.setting} to the address it points to")
    return NoAnswer(
        f"is no OpenAI-compatible server: /models answers {response.status_code} without a list of models",
        f"{vlm.mend}: the base URL, which mostly ends in /v1",
    )


def _video(vlm: Asked, model: str) -> Video:
    """Ask about 34 frames; first with their times, which servers refuse unless they trust their callers."""
    indices = [round(number * _FRAME_S * _TICKS_PER_S) for number in range(FRAMES)]
    total = indices[-1] + 1
    timeline = {"num_frames": -1, "fps": _TICKS_PER_S, "frames_indices": indices, "total_num_frames": total}
    options = {"media_io_kwargs": {"video": {**timeline, "duration": total / _TICKS_PER_S}}}
    with_times = _seen(vlm, model, options)
    video = Video(with_times is not None, tuple(with_times or ()), told=True)
    if video.true:
        return video
    plain = _seen(vlm, model, {})
    return Video(plain is not None, tuple(plain or ()))


def _seen(vlm: Asked, model: str, options: dict[str, Any]) -> list[float] | None:
    """The marks that the model was shown, perhaps none; None when the server did not take the video."""
    url = "data:video/jpeg;base64," + ",".join([_GREY] * FRAMES)
    content = [{"type": "video_url", "video_url": {"url": url}}, {"type": "text", "text": "Answer OK."}]
    page = _asked(vlm, model, content, max_tokens=1, return_token_ids=True, **options)
    usage, tokens = page.get("usage"), page.get("prompt_token_ids")
    counted = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    if not isinstance(counted, int) or counted <= _MOST_TEXT_TOKENS:
        return None
    if not isinstance(tokens, list):
        return []
    root = Asked(vlm.url.removesuffix("/v1"), vlm.setting, vlm.what, vlm.key)
    told = _posted(root, "/detokenize", {"model": model, "tokens": tokens}).get("prompt")
    return [float(mark) for mark in _MARK.findall(told)] if isinstance(told, str) else []


def _schema(vlm: Asked, model: str) -> str:
    response_format = {
        "type": "json_schema",
        "json_schema": {"name": "out", "strict": True, "schema": _SCHEMA},
    }
    content = "Reply with the one word yes, nothing else."
    page = _asked(vlm, model, content, max_tokens=64, response_format=response_format)
    try:
        choice = page["choices"][0]
        if choice["finish_reason"] == "length":
            return "endless"
        return "honoured" if json.loads(choice["message"]["content"]) == {"code": WORD} else "ignored"
    except (KeyError, IndexError):
        return "refused"
    except (ValueError, TypeError):
        return "ignored"


def _asked(vlm: Asked, model: str, content: Any, **body: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": content}]
    return _posted(vlm, "/chat/completions", {"model": model, "messages": messages, "temperature": 0, **body})


def _posted(where: Asked, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The JSON object answered; empty when the server refuses."""
    try:
        page = where.fetch("POST", path, _PROBE_S, json=body).json()
    except (NoAnswer, ValueError):
        return {}
    return page if isinstance(page, dict) else {}


def grey() -> bytes:
    """The JPEG that the probe shows."""
    return base64.b64decode(_GREY)
