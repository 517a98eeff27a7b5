"""Every knob of the service in one frozen object; the only module here that reads the environment.

Each knob has its sentence, unit and default; `.env.template` and docs/settings.md are generated from it
(`extension/command/settings_page.py`).
"""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import Field, PrivateAttr, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from extension.errors import BadSettings
from extension.settings.cameras import CameraSettings

PREFIX = "EXT_"
OVERRIDE_PREFIX = "CHUNK_CAPTION_"
"""Knobs of the override inside the via-server; the embedded one is started with them."""
BESIDE = (OVERRIDE_PREFIX, "VIA_SERVER_")
"""Knobs that others read: the override, and Docker Compose."""
_ROUTES = ("/chat/completions", "/models")


class Settings(CameraSettings):
    """The service's configuration, from the environment and an optional `.env` file."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, env_file_encoding="utf-8", populate_by_name=True
    )

    host: str = Field(
        "127.0.0.1", alias="EXT_HOST", description="Address that the API and the page listen on."
    )
    port: int = Field(
        8080,
        alias="EXT_PORT",
        ge=0,
        le=65535,
        description="Port of the API and the page; 0 takes a free one.",
    )
    data_dir: Path = Field(
        Path("var"), alias="EXT_DATA_DIR", description="Folder of the database, uploads, outputs and logs."
    )
    database_url: str = Field(
        "",
        alias="EXT_DATABASE_URL",
        description="SQLAlchemy address of the database; empty: SQLite in the data folder.",
    )
    media_dirs: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        alias="EXT_MEDIA_DIRS",
        description="Folders, separated by colons, from which videos may be analysed by path.",
    )
    max_upload_bytes: int = Field(
        20 * 1024**3, alias="EXT_MAX_UPLOAD_BYTES", ge=1, description="Largest upload in bytes."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", alias="EXT_LOG_LEVEL", description="Least severe log lines to write."
    )
    timezone: str = Field(
        "UTC",
        alias="EXT_TIMEZONE",
        description="IANA time zone of the times in trajectory logs, which name none.",
    )

    via_backend: str = Field(
        "", alias="VIA_BACKEND", description="Base URL of a via-server; empty: the embedded one is started."
    )
    via_zero_copy: bool = Field(
        default=False,
        alias="EXT_VIA_ZERO_COPY",
        description="Hand videos to VIA_BACKEND by path instead of uploading them (both must see the same path).",
    )
    via_timeout_s: float = Field(
        900.0,
        alias="EXT_VIA_TIMEOUT_S",
        gt=0,
        description="Longest wait for one caption request, in seconds.",
    )
    vlm_endpoint: str = Field(
        "",
        alias="VIA_VLM_ENDPOINT",
        description="Base URL of an OpenAI-compatible VLM, ending in /v1; empty: the reference server is started.",
    )
    vlm_model: str = Field(
        "",
        alias="VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME",
        description="Model name at VIA_VLM_ENDPOINT (letters, digits, dot, dash; no slash).",
    )
    vlm_api_key: SecretStr = Field(
        SecretStr(""), alias="VIA_VLM_API_KEY", description="API key of VIA_VLM_ENDPOINT, where it wants one."
    )

    chunk_s: int = Field(2, alias="EXT_CHUNK_S", ge=1, le=3600, description="Chunk length in whole seconds.")
    frames_per_chunk: int = Field(
        0,
        alias="EXT_FRAMES_PER_CHUNK",
        ge=0,
        le=256,
        description="Frames shown to the VLM per chunk; 0: five per second of the recorded world, 20 to 60.",
    )
    max_frame_px: int = Field(
        1280 * 720,
        alias="EXT_MAX_FRAME_PX",
        ge=256,
        description="Frames with more pixels than this are scaled down before the VLM sees them.",
    )
    chunks_per_request: int = Field(
        6,
        alias="EXT_CHUNKS_PER_REQUEST",
        ge=1,
        le=1000,
        description="Chunks asked for in one caption request.",
    )
    requests_in_flight: int = Field(
        2,
        alias="EXT_REQUESTS_IN_FLIGHT",
        ge=1,
        le=64,
        description="Caption requests running at the same time.",
    )
    max_tokens: int = Field(
        1024, alias="EXT_MAX_TOKENS", ge=1, le=1024, description="Longest answer of the VLM, in tokens."
    )
    patience_s: float = Field(
        600.0,
        alias="EXT_PATIENCE_S",
        ge=0,
        description="How long a job waits for a via-server or VLM that is down before its chunks fail, in seconds.",
    )
    merge_gap_s: float = Field(
        0.5,
        alias="EXT_MERGE_GAP_S",
        ge=0,
        description="Events of the same kind and objects closer than this are one incident, in media seconds.",
    )
    contact_cm: float = Field(
        100.0,
        alias="EXT_CONTACT_CM",
        gt=0,
        description="Horizontal distance in centimetres below which two objects of a log are in contact.",
    )

    summary_video: bool = Field(
        default=True,
        alias="EXT_SUMMARY_VIDEO",
        description="Make a video of the moments that matter at the end of each job.",
    )
    summary_moments: int = Field(
        60, alias="EXT_SUMMARY_MOMENTS", ge=0, description="Most moments in that video; the worst are taken."
    )
    summary_pre_s: float = Field(
        2.0,
        alias="EXT_SUMMARY_PRE_S",
        ge=0,
        le=60,
        description="How long before a moment its part of that video begins, in media seconds.",
    )
    summary_language: Literal["en", "ko"] = Field(
        "en", alias="EXT_SUMMARY_LANGUAGE", description="Language of the captions in that video."
    )

    evidence_incidents: int = Field(
        200,
        alias="EXT_EVIDENCE_INCIDENTS",
        ge=0,
        description="Most incidents of a job that get evidence (clip, snapshot, manifest); 0: none.",
    )
    webhook_url: str = Field(
        "",
        alias="EXT_WEBHOOK_URL",
        description="Webhook that hears of every incident; see also the file below.",
    )
    webhook_secret: SecretStr = Field(
        SecretStr(""),
        alias="EXT_WEBHOOK_SECRET",
        description='Signing secret of EXT_WEBHOOK_URL: "whsec_" and base64 of 24 to 64 random bytes.',
    )
    receivers_file: Path | None = Field(
        None, alias="EXT_RECEIVERS_FILE", description="YAML file with more receivers (docs/alerts.md)."
    )

    _beside: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("media_dirs", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(Path(part) for part in value.split(":") if part) if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in zoneinfo.available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone such as Asia/Seoul")
        return value

    @field_validator("via_backend", "vlm_endpoint", "webhook_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("vlm_endpoint")
    @classmethod
    def _base_url(cls, value: str) -> str:
        # NVIDIA's sample .env shows the address of one route; the override takes it for the base URL too.
        for route in _ROUTES:
            value = value.removesuffix(route)
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.vlm_endpoint and not self.vlm_model:
            raise ValueError(
                "VIA_VLM_ENDPOINT is set: VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME must name its model"
            )
        if self.webhook_url and not self.webhook_secret.get_secret_value():
            raise ValueError("EXT_WEBHOOK_URL is set: EXT_WEBHOOK_SECRET must hold its signing secret")
        return self

    @property
    def beside(self) -> Mapping[str, str]:
        """Knobs that others read (`BESIDE`), as they are set here, by name."""
        return self._beside

    def knowing(self, beside: Mapping[str, str]) -> Self:
        """These settings, told what is set for others."""
        self._beside = dict(beside)
        return self

    @property
    def database(self) -> str:
        """SQLAlchemy address of the database."""
        file = (self.data_dir / "timetravel.db").absolute()
        return self.database_url or f"sqlite:///{quote(str(file))}"


def load(env_file: Path | None = Path(".env"), **overrides: Any) -> Settings:
    """Read the settings; `overrides` (by field name) win over the environment.

    Raises:
        BadSettings: naming every knob at fault, unknown EXT_ names included.
    """
    faults = [f"{name}: no such setting" for name in sorted(_unknown_names(env_file))]
    settings: Settings | None = None
    try:
        settings = Settings(_env_file=env_file, **overrides).knowing(_set_for_others(env_file))
    except ValidationError as exc:
        faults += [_fault(error) for error in exc.errors(include_url=False, include_input=False)]
    if faults or settings is None:
        raise BadSettings("; ".join(faults))
    return settings


def _fault(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "settings"
    field = Settings.model_fields.get(where)
    return f"{(field.alias if field else None) or where}: {error['msg'].removeprefix('Value error, ')}"


def _unknown_names(env_file: Path | None) -> set[str]:
    names = {name for name in {**_in_file(env_file), **os.environ} if name.startswith(PREFIX)}
    return names - {field.alias for field in Settings.model_fields.values() if field.alias}


def _set_for_others(env_file: Path | None) -> dict[str, str]:
    found = {**_in_file(env_file), **os.environ}
    return {name: value for name, value in found.items() if name.startswith(BESIDE) and value}


def _in_file(env_file: Path | None) -> dict[str, str | None]:
    return dotenv_values(env_file, encoding="utf-8") if env_file is not None and env_file.is_file() else {}
