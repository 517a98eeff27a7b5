"""The file that names the cameras: YAML, checked, secrets kept out of every message."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from extension.errors import BadSettings
from extension.sources.camera.camera import MOST_NAME, Camera, Transport
from extension.wire import BriefIn

_MOST_CAMERAS = 1000


class Entry(BriefIn):
    """One camera in the file, what is said of its place (notes and zones), and how it is to be watched.

    Attributes:
        name: Unique.
        url: `rtsp://` or `rtsps://`, with credentials where the camera wants them.
        url_file: File beside this one that holds the URL, instead.
        transport: Of its packets.
        certificate: PEM file beside this one, with the certificate that an `rtsps://` camera must show; without one, any is believed.
        window_s: Length of a window, seconds.
        stride_s: A window begins every so many seconds.
        prompt: What to look for.
        language: Of the prompt, and so of the answers.
        context_answers: The last answers for this camera that the VLM is told with the next question.
        merge_gap_s: Events of the same kind and objects closer than this are one incident, seconds.
        second_look: Whether what is danger or worse is looked at again, more closely, before it is told.
        gate: `on` leaves out windows in which nothing moves; `shadow` looks at all and records which it would have left out.
        forced_look_s: With the gate, a window is looked at once in this time whatever moves, seconds.
        motion_notices: Whether motion is told of, unverified, while the VLM is away.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=MOST_NAME)
    url: str = ""
    url_file: Path | None = None
    transport: Transport = Transport.TCP
    certificate: Path | None = None
    window_s: float = Field(default=10.0, ge=1, le=600)
    stride_s: float = Field(default=5.0, ge=1, le=600)
    prompt: str = Field(default="camera", pattern="^[a-z_]{1,32}$")
    language: Literal["en", "ko"] = "en"
    context_answers: int = Field(default=2, ge=0, le=5)
    merge_gap_s: float = Field(default=10.0, ge=0, le=3600)
    second_look: bool = True
    gate: Literal["off", "on", "shadow"] = "off"
    forced_look_s: float = Field(default=60.0, ge=1, le=3600)
    motion_notices: bool = False

    @field_validator("gate", mode="before")
    @classmethod
    def _worded(cls, value: object) -> object:
        """YAML reads a bare `on` or `off` as yes or no."""
        return {True: "on", False: "off"}[value] if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.url) == bool(self.url_file):
            raise ValueError("needs either url or url_file")
        if self.stride_s > self.window_s:
            raise ValueError(
                "stride_s is longer than window_s: what lies between two windows would never be looked at"
            )
        return self

    def camera(self, folder: Path) -> Camera:
        """The camera, its URL file read.

        Raises:
            BadSettings: when that file cannot be read, or the certificate's cannot or is of no use.
        """
        url = self.url
        if self.url_file is not None:
            try:
                url = (folder / self.url_file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as exc:
                raise BadSettings(
                    f"EXT_CAMERAS_FILE: camera {self.name!r}: its url_file cannot be read"
                ) from exc
        return Camera(self.name, url, self.transport, self._certificate(folder, url))

    def _certificate(self, folder: Path, url: str) -> Path | None:
        if self.certificate is None:
            return None
        if not url.lower().startswith("rtsps:"):
            raise BadSettings(
                f"EXT_CAMERAS_FILE: camera {self.name!r}: a certificate needs an rtsps:// address"
            )
        if not (folder / self.certificate).is_file():
            raise BadSettings(f"EXT_CAMERAS_FILE: camera {self.name!r}: its certificate cannot be read")
        return folder / self.certificate


class _Book(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    cameras: list[Entry] = Field(default_factory=list, max_length=_MOST_CAMERAS)


def load(path: Path) -> list[Entry]:
    """The cameras of a file; two of one name are sorted out where they are captured.

    Raises:
        BadSettings: naming the file and every fault, no address.
    """
    try:
        page = yaml.safe_load(path.read_text("utf-8")) or {}
        return _Book.model_validate(page).cameras
    except OSError as exc:
        raise BadSettings(f"EXT_CAMERAS_FILE: {path.name} cannot be read ({exc.strerror})") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise BadSettings(f"EXT_CAMERAS_FILE: {path.name} is not YAML") from exc
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"
            for error in exc.errors(include_url=False, include_input=False)
        )
        raise BadSettings(f"EXT_CAMERAS_FILE: {path.name}: {faults}") from exc
