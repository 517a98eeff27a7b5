"""Faults that a VLM endpoint can show a client, as rows: how each is provoked, and what the override should make of it. It runs nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench_asking import noisy_frames
from tests.vss_overrides.vlm_double import Reply, VlmDouble

ANSWERED: Final = "answered"
NO_END: Final = b"\xff\xd8 this is no picture"
_LONG_SCHEMA: Final = {
    "type": "object",
    "properties": {"summary": {"type": "string", "minLength": 6000, "maxLength": 7000}},
    "required": ["summary"],
    "additionalProperties": False,
}
_BAD_SCHEMA: Final = {"type": "object", "properties": {"a": {"type": "no such type"}}, "required": ["a"]}


def good(count: int = 8) -> list[bytes]:
    """Whole frames."""
    return [frame.jpeg for frame in noisy_frames((320, 192), [0.0] * count)]


def _one_short() -> list[bytes]:
    """One of the frames lacks bytes before its end marker."""
    whole = good()
    return [*whole[:3], whole[3][:-200] + b"\xff\xd9", *whole[4:]]


def _one_is_none() -> list[bytes]:
    """One of the frames has a JPEG's header and end, and nothing readable between them."""
    whole = good()
    return [*whole[:3], whole[3][:200] + b"\xff\xd9", *whole[4:]]


def _mixed() -> list[bytes]:
    return [*good(3), noisy_frames((96, 64), [0.0])[0].jpeg]


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        fault: what is wrong, for the table.
        expected: `ANSWERED`, or the codes of which the chunk must carry one.
        real: provoked on the real vLLM, else on the double.
        frames: the chunk's frames.
        prompt: what is asked.
        knobs: settings of the override, without their prefix.
        environment: settings of the engine that differ.
        sampling: what the request sets.
        script: what the double answers, before it is fine again.
        prepare: what is done to the double first.
        most_s: the longest that the chunk may take.
        most_retries: the most retries it may take.
    """

    fault: str
    expected: tuple[str, ...] = (ANSWERED,)
    real: bool = True
    frames: Callable[[], list[bytes]] = good
    prompt: str = "What happened?"
    knobs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    script: Sequence[Reply] = ()
    prepare: Callable[[VlmDouble], object] = lambda double: double
    most_s: float = 30.0
    most_retries: int = 3


def rows(folder: Path) -> list[Row]:
    """All of them; `folder` takes the files that some settings name."""
    long_schema, bad_schema = folder / "long.json", folder / "bad.json"
    long_schema.write_text(json.dumps(_LONG_SCHEMA), encoding="utf-8")
    bad_schema.write_text(json.dumps(_BAD_SCHEMA), encoding="utf-8")
    return [*_real_rows(long_schema, bad_schema), *_double_rows()]


def _real_rows(long_schema: Path, bad_schema: Path) -> list[Row]:
    refused: dict[str, Any] = {"expected": ("Refused",), "most_retries": 0}
    never_sent: dict[str, Any] = {"expected": ("NoFrames",), "most_retries": 0, "most_s": 1.0}
    return [
        Row(
            "one JPEG lacks 200 bytes before its end mark, which the server may not notice",
            expected=(ANSWERED, "Refused"),
            frames=_one_short,
            most_retries=0,
        ),
        Row("one JPEG of the chunk holds no picture", **refused, frames=_one_is_none),
        Row("one JPEG of the chunk has no end", **never_sent, frames=lambda: [*good(3), NO_END]),
        Row("no frame at all", **never_sent, frames=list),
        Row("one frame only", frames=lambda: good(1), most_retries=0),
        Row("frames of different sizes", frames=_mixed, most_retries=0),
        Row("more frames than the token limit takes", frames=lambda: good(300), most_retries=0),
        Row("more text than the token limit takes", **refused, prompt="What happened? " * 5000),
        Row(
            "the answer hits its token limit",
            expected=("Clipped",),
            sampling={"max_new_tokens": 5},
            most_retries=0,
        ),
        Row(
            "the answer takes longer than allowed",
            expected=("Timeout",),
            knobs={"TIMEOUT_S": "1", "SCHEMA_FILE": str(long_schema)},
            sampling={"max_new_tokens": 6000},
        ),
        Row("the schema is none", **refused, knobs={"SCHEMA_FILE": str(bad_schema)}),
        Row("unknown model", **refused, environment={"VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME": "other"}),
        Row("wrong key", **refused, environment={"VIA_VLM_API_KEY": "not-the-key"}),
        Row("frame times with the request are refused (vLLM 0.31 and newer)", most_retries=0),
    ]


def _old_server(double: VlmDouble) -> None:
    double.reading.video_jpeg = False


def _silent_on_videos(double: VlmDouble) -> None:
    double.reading.ignores_video = True


def _double_rows() -> list[Row]:
    busy = "The engine is currently busy and cannot accept new requests"
    page = b"<html><body>502 Bad Gateway</body></html>"
    engine_died = "EngineCore encountered an issue. See stack trace (above) for the root cause."
    double: dict[str, Any] = {"real": False}
    once, always = [Reply(reset=True)], [Reply(reset=True)] * 9
    return [
        Row("queue full, twice", **double, script=[Reply(status=503, error=busy)] * 2),
        Row(
            "queue full, for ever",
            ("ServerError",),
            **double,
            script=[Reply(status=503, error=busy)] * 9,
            knobs={"RETRIES": "2"},
        ),
        Row(
            "too many requests, come back in 1 s",
            **double,
            script=[Reply(status=429, headers={"Retry-After": "1"})],
        ),
        Row(
            "engine died under the request, then restarted", **double, script=[Reply(500, error=engine_died)]
        ),
        Row("a gateway gives up, once", **double, script=[Reply(status=504)]),
        Row("connection reset, once", **double, script=once),
        Row("connection reset, always", ("Unreachable",), **double, script=always, knobs={"RETRIES": "2"}),
        Row("half an answer, then closed", **double, script=[Reply(cut=40)]),
        Row("a proxy's page instead of an answer", **double, script=[Reply(raw=page)]),
        Row(
            "silence",
            ("Timeout",),
            **double,
            script=[Reply(hang=True)] * 9,
            knobs={"TIMEOUT_S": "1"},
            most_s=3.0,
        ),
        Row(
            "an answer byte by byte",
            ("Timeout",),
            **double,
            script=[Reply(trickle_s=0.05)] * 9,
            knobs={"TIMEOUT_S": "1"},
            most_s=3.0,
        ),
        Row(
            "stopped in the middle (SIGTERM): 200 without a finish",
            **double,
            script=[Reply(finish_reason=None)],
        ),
        Row(
            "stopped in the middle (SIGTERM): 200, said to be aborted",
            **double,
            script=[Reply(finish_reason="abort")],
        ),
        Row("an empty answer", ("Empty",), **double, script=[Reply(text="")], most_retries=0),
        Row(
            "this way of sending media is not implemented (501)",
            ("Refused",),
            **double,
            script=[Reply(status=501)] * 9,
            most_retries=0,
        ),
        Row("frame lists fail with 500 (vLLM before 0.26)", **double, prepare=_old_server, most_retries=0),
        Row("videos are taken and not looked at", **double, prepare=_silent_on_videos, most_retries=0),
    ]
