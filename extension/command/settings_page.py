"""Writes `.env.template` and docs/settings.md: the service's own knobs, and those that Docker Compose and the override read.

The programs do not import each other, so the knobs of others are listed here; a test holds the list against
compose.override.yaml and the override's own reading. It reads no environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from extension.settings import BESIDE, CameraSettings, Settings


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting: its name in the environment, its sentence with the unit, and its default as it would be written."""

    name: str
    sentence: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The knobs that one program reads, and what to know of them."""

    title: str
    intro: str
    knobs: tuple[Knob, ...]


_VSS = "../video-search-and-summarization/deploy/docker/remote_llm_deployment/compose.yaml"
COMPOSE = (
    Knob(
        "COMPOSE_FILE",
        f"NVIDIA's compose file and ours over it, such as {_VSS}:compose.override.yaml; read by Compose itself.",
    ),
    Knob("BACKEND_PORT", "Port of the via-server, inside and outside; NVIDIA's file wants it set.", "8100"),
    Knob("FRONTEND_PORT", "NVIDIA's file wants it set; its page is off and nothing listens there.", "9100"),
    Knob(
        "VIA_SERVER_BIND",
        "Address of this machine that the via-server listens on; the engine asks nobody for a password.",
        "127.0.0.1",
    ),
    Knob(
        "VIA_SERVER_VLM_ENDPOINT",
        "Base URL of the VLM as the container sees it, where that differs from VIA_VLM_ENDPOINT: 127.0.0.1 in there is "
        "the container itself, this machine is host.docker.internal.",
    ),
    Knob(
        "VIA_SERVER_MODEL", "VSS's own model switch, for a model inside the engine instead.", "openai-compat"
    ),
    Knob("VIA_SERVER_VLM_PROCS", "VLM processes of the engine; one keeps the VLM busy.", "1"),
    Knob("VIA_SERVER_ASSETS_GB", "What uploads may take on the via-server's disk, in GB.", "20"),
    Knob(
        "VIA_MEDIA_DIR",
        "Absolute path of the one folder of videos that the container sees at the same path, read-only; empty: var/media "
        "of this folder.",
    ),
    Knob("OVERRIDES_DIR", "Absolute path of vss_overrides; empty: that of this folder."),
    Knob(
        "ASSET_STORAGE_DIR",
        "Folder for uploads in place of a volume; NVIDIA's own name for it.",
        "via-assets",
    ),
)
OVERRIDE = (
    Knob(
        "CHUNK_CAPTION_PACKING",
        "How frames travel to the VLM: auto (what the server reads best), images, video_jpeg or mp4.",
        "auto",
    ),
    Knob("CHUNK_CAPTION_TIMEOUT_S", "Longest time for one chunk, retries included, in seconds.", "120"),
    Knob("CHUNK_CAPTION_CONCURRENCY", "Chunks asked about at once, per VLM process of the via-server.", "16"),
    Knob("CHUNK_CAPTION_RETRIES", "Attempts after the first that a chunk gets.", "3"),
    Knob(
        "CHUNK_CAPTION_SCHEMA_FILE",
        "JSON file with another schema for the answers; empty: the verdict, version 1.",
    ),
    Knob(
        "CHUNK_CAPTION_FEW_SHOT_FILE",
        "JSON file of worked examples to show before every question; empty: none (vss_overrides/README.md).",
    ),
    Knob(
        "CHUNK_CAPTION_LOGPROBS",
        "on asks for the answers' log-probabilities, where the server takes that.",
        "off",
    ),
    Knob(
        "CHUNK_CAPTION_MEDIA_UUID",
        "auto lets media carry the hash by which vLLM knows them again; off leaves it out.",
        "auto",
    ),
    Knob(
        "CHUNK_CAPTION_BURN_TIMES",
        "on draws each frame's time into the lower right corner of its picture, for VLMs that place events badly.",
        "off",
    ),
    Knob(
        "CHUNK_CAPTION_FRAME_STEP_S",
        "Seconds between frames where the engine tells no frame times (custom_model/ on 2.3.1); 0: none.",
        "0",
    ),
)


def parts() -> tuple[Part, ...]:
    """All knobs there are, by who reads them."""
    known = Settings.model_fields
    service = tuple(_knob(field) for name, field in known.items() if name not in CameraSettings.model_fields)
    return (
        Part("The service", "A misspelt `EXT_` name stops the start.", service),
        Part(
            "Cameras",
            "What differs from camera to camera lies in their own file ([cameras](cameras.md)).",
            tuple(_knob(field) for field in CameraSettings.model_fields.values()),
        ),
        Part(
            "The override inside the via-server",
            "Passed on to the embedded via-server, and by compose.override.yaml into NVIDIA's container. There, a file must lie "
            "below `VIA_MEDIA_DIR`.",
            OVERRIDE,
        ),
        Part(
            "Docker Compose",
            "Only for NVIDIA's via-server in a container ([deployment](deployment.md)). `VIA_VLM_ENDPOINT`, "
            "`VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME` and `VIA_VLM_API_KEY` above are read there too.",
            COMPOSE,
        ),
    )


def _knob(field: FieldInfo) -> Knob:
    return Knob(field.alias or "", field.description or "", _shown(field.default))


def env_template() -> str:
    """The text of `.env.template`: every knob, its sentence and its default, commented out."""
    lines = ["# Every setting. Copy to .env and uncomment what you change. Made by `make docs`."]
    for part in parts():
        lines += ["", f"# --- {part.title} ---"]
        for knob in part.knobs:
            lines += ["", f"# {knob.sentence}", f"# {knob.name}={knob.default}"]
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """The text of docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Set them in the environment or in a file `.env` beside the project; `.env.template` holds them all.",
        "`timetravel doctor` checks what they lead to.",
    ]
    for part in parts():
        lines += ["", f"## {part.title}", "", part.intro, "", *_table(part.knobs)]
    return "\n".join(lines) + "\n"


def strangers(names: Sequence[str]) -> Iterator[str]:
    """Those of `names` that look like knobs of the override or of Compose and are none."""
    known = {knob.name for knob in (*COMPOSE, *OVERRIDE)}
    return (name for name in sorted(names) if name.startswith(BESIDE) and name not in known)


def _table(knobs: Sequence[Knob]) -> Iterator[str]:
    yield "| name | what it is | default |"
    yield "|---|---|---|"
    for knob in knobs:
        yield f"| `{knob.name}` | {knob.sentence} | {f'`{knob.default}`' if knob.default else ''} |"


def _shown(default: object) -> str:
    if default is None or default == ():
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return str(default).lower() if isinstance(default, bool) else str(default)
