"""The file that names the cameras: YAML, checked, secrets kept out of every message."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from extension.errors import BadSettings
from extension.sources.camera.camera import MOST_NAME, Camera, Transport

_MOST_CAMERAS = 1000


class Entry(BaseModel):
    """One camera in the file, and how it is to be watched.

    Attributes:
        name: Unique.
        url: `rtsp://` or `rtsps://`, with credentials where the camera wants them.
        url_file: File beside this one that holds the URL, instead.
        transport: Of its packets.
        window_s: Length of a window, seconds.
        stride_s: A window begins every so many seconds.
        prompt: What to look for.
        merge_gap_s: Events of the same kind and objects closer than this are one incident, seconds.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=MOST_NAME)
    url: str = ""
    url_file: Path | None = None
    transport: Transport = Transport.TCP
    window_s: float = Field(default=10.0, ge=1, le=600)
    stride_s: float = Field(default=5.0, ge=1, le=600)
    prompt: str = Field(default="camera", pattern="^[a-z_]{1,32}$")
    merge_gap_s: float = Field(default=10.0, ge=0, le=3600)

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
            BadSettings: when that file cannot be read.
        """
        url = self.url
        if self.url_file is not None:
            try:
                url = (folder / self.url_file).read_text("utf-8").strip()
            except (OSError, UnicodeDecodeError) as exc:
                raise BadSettings(
                    f"EXT_CAMERAS_FILE: camera {self.name!r}: its url_file cannot be read"
                ) from exc
        return Camera(self.name, url, self.transport)


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
