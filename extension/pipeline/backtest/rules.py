"""The rules that footage is watched by, and the file that names them. Decides nothing about footage."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from extension.errors import BadInput
from extension.model import Severity
from extension.sources.camera.book_file import Entry

WINDOW_FRAMES: Final = 40
"""Frames of a window unless something else is said: what live windows have."""
_WORDS: Final = {True: "on", False: "off"}
"""YAML 1.1 takes the plain words on and off for truth values."""


class Rules(BaseModel):
    """How a camera is watched; names, meanings and defaults are those of the cameras' file, except as said here.

    Attributes:
        window_s: Length of a window, seconds.
        stride_s: A window begins every so many seconds.
        prompt: What to look for.
        language: Of prompt and answers.
        frames: Frames shown to the VLM per window.
        gate: Whether windows without motion are left out.
        forced_look_s: With the gate, a window is looked at this often in any case, seconds.
        second_look: Whether a verdict of danger is checked again.
        merge_gap_s: Events of the same kind and objects closer than this are one incident, seconds.
        least_severity: Milder claims are no events; warn takes all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_s: float = Field(default=10.0, ge=1, le=600, allow_inf_nan=False)
    stride_s: float = Field(default=5.0, ge=1, le=600, allow_inf_nan=False)
    prompt: str = Field(default="camera", pattern="^[a-z_]{1,32}$")
    language: Literal["en", "ko"] = "en"
    frames: int = Field(default=WINDOW_FRAMES, ge=2, le=256)
    gate: Literal["off", "on"] = "off"
    forced_look_s: float = Field(default=60.0, ge=1, le=3600, allow_inf_nan=False)
    second_look: bool = True
    merge_gap_s: float = Field(default=10.0, ge=0, le=3600, allow_inf_nan=False)
    least_severity: Severity = Severity.WARN

    @field_validator("gate", mode="before")
    @classmethod
    def _word(cls, value: object) -> object:
        return _WORDS[value] if isinstance(value, bool) else value

    @field_validator("least_severity")
    @classmethod
    def _tells(cls, value: Severity) -> Severity:
        if value is Severity.SAFE:
            raise ValueError("what is safe is no event; the mildest is warn")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.stride_s > self.window_s:
            raise ValueError(
                "stride_s is longer than window_s: what lies between two windows would never be looked at"
            )
        return self

    def changed(self, **changes: Any) -> Rules:
        """These rules with others in place of some; None stands for no change.

        Raises:
            BadInput: when they do not fit.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        return _checked({**self.model_dump(), **given}, "the rules")


def read(path: Path) -> Rules:
    """The rules of a YAML file; what it does not name is as usual.

    Raises:
        BadInput: naming the file and every fault.
    """
    try:
        page = yaml.safe_load(path.read_text("utf-8"))
    except OSError as exc:
        raise BadInput(f"{path.name}: cannot be read ({exc.strerror or 'unknown reason'})") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise BadInput(f"{path.name}: is not YAML") from exc
    return _checked({} if page is None else page, path.name)


def of_entry(entry: Entry) -> Rules:
    """The rules that a camera of the cameras' file is watched by."""
    page = entry.model_dump(mode="json")
    shared = {name: page[name] for name in Rules.model_fields if name in page}
    # In shadow every window is looked at.
    return _checked(shared | ({"gate": "off"} if page.get("gate") == "shadow" else {}), entry.name)


def _checked(page: Any, name: str) -> Rules:
    try:
        return Rules.model_validate(page)
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'all of it'}: {error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors(include_url=False, include_input=False)
        )
        raise BadInput(f"{name}: {faults}") from exc
