"""Reads a label file: which clips there are, and what happens in them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from extension.command.camera_scoring import Labelled
from extension.errors import BadInput
from extension.model import Kind

_MOST_FAULTS: Final = 5


class EventLabel(BaseModel):
    """Something that happens in a clip, in seconds from its first frame; `end_s` is out, and may be left away for an instant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    start_s: float = Field(ge=0, allow_inf_nan=False)
    end_s: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.end_s is not None and self.end_s < self.start_s:
            raise ValueError("end_s lies before start_s")
        return self

    def labelled(self) -> Labelled:
        """The label as it is scored."""
        return Labelled(self.kind, self.start_s, self.start_s if self.end_s is None else self.end_s)


class ClipLabel(BaseModel):
    """A file, by its path below the folder of clips, and what happens in it; without events it is a negative."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(min_length=1)
    events: tuple[EventLabel, ...]

    @field_validator("file")
    @classmethod
    def _below(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts or "\\" in value:
            raise ValueError("must be a path below the folder of clips")
        return value


class Labels(BaseModel):
    """A label file: `clips: [{file: a.mp4, events: [{kind: fall, start_s: 2.3, end_s: 3.6}]}]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clips: tuple[ClipLabel, ...]

    @field_validator("clips")
    @classmethod
    def _once(cls, clips: tuple[ClipLabel, ...]) -> tuple[ClipLabel, ...]:
        if not clips:
            raise ValueError("names no clip")
        names = [clip.file for clip in clips]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]} is labelled twice")
        return clips


def read_labels(path: Path) -> Labels:
    """Read a label file (YAML, of which JSON is a part).

    Raises:
        BadInput: when it cannot be read or is not a label file; names the mistakes.
    """
    try:
        return Labels.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as exc:
        raise BadInput(f"{path.name}: the label file cannot be read ({_reason(exc)})") from exc
    except yaml.YAMLError as exc:
        raise BadInput(f"{path.name}: the label file is not YAML") from exc
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_input=False)
        faults = [
            f"{'.'.join(map(str, error['loc'])) or 'all of it'}: {error['msg'].removeprefix('Value error, ')}"
            for error in errors[:_MOST_FAULTS]
        ]
        more = [f"and {len(errors) - _MOST_FAULTS} more"] if len(errors) > _MOST_FAULTS else []
        raise BadInput(f"{path.name}: is not a label file: {'; '.join(faults + more)}") from exc


def _reason(exc: OSError | UnicodeDecodeError) -> str:
    return exc.strerror or "unknown reason" if isinstance(exc, OSError) else "it is not UTF-8"
