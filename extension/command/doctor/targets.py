"""What there is to examine: what the settings name, else the embedded parts of the service that runs on the data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from extension.command import lock
from extension.command.doctor.asking import LOOPBACK, Asked, NoAnswer
from extension.settings import Settings
from extension.stack.embedded import REFERENCE_MODEL

_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Targets:
    """Where everything is.

    Attributes:
        service: Address of the running service; empty when none runs.
        via: The via-server; None when the embedded one is still to be started.
        vlm: The VLM; None when it is not known here.
        model: The model's name there.
        embedded_via: Whether the via-server is the embedded one.
        embedded_vlm: Whether the VLM is the reference program.
        packing: What CHUNK_CAPTION_PACKING forces; empty or "auto" when nothing.
        own_loopback: The port of VIA_VLM_ENDPOINT where a container would take that address for itself; None elsewhere.
    """

    service: str = ""
    via: Asked | None = None
    vlm: Asked | None = None
    model: str = ""
    embedded_via: bool = False
    embedded_vlm: bool = False
    packing: str = ""
    own_loopback: int | None = None


def targets(settings: Settings) -> Targets:
    """Find out what there is to examine; asks only the running service."""
    service = _running(settings.data_dir)
    run = settings.data_dir / "run"
    via_url, vlm_url = settings.via_backend, settings.vlm_endpoint
    via_setting, vlm_setting = "VIA_BACKEND", "VIA_VLM_ENDPOINT"
    if service and not via_url:
        via_url, via_setting = _embedded(run, "via-server"), "run/via-server.log"
    if service and not vlm_url and not settings.via_backend:
        vlm_url, vlm_setting = _embedded(run, "reference-vlm", "/v1"), "run/reference-vlm.log"
    key = settings.vlm_api_key.get_secret_value()
    return Targets(
        service=service,
        via=Asked(via_url, via_setting, "the via-server") if via_url else None,
        vlm=Asked(vlm_url, vlm_setting, "the VLM", key) if vlm_url else None,
        model=settings.vlm_model or REFERENCE_MODEL,
        embedded_via=not settings.via_backend,
        embedded_vlm=not settings.vlm_endpoint and not settings.via_backend,
        packing=settings.beside.get("CHUNK_CAPTION_PACKING", ""),
        own_loopback=_own_loopback(settings),
    )


def _running(data_dir: Path) -> str:
    url = lock.running_at(data_dir)
    try:
        alive = url is not None and Asked(url, "", "").fetch("GET", "/health/live", _TIMEOUT_S).ok
    except NoAnswer:
        alive = False
    return url if url and alive else ""


def _embedded(run: Path, program: str, path: str = "") -> str:
    """Where an embedded program listens, as it wrote itself; empty when it was not started."""
    try:
        return f"http://127.0.0.1:{int((run / f'{program}.port').read_text('ascii'))}{path}"
    except (OSError, ValueError):
        return ""


def _own_loopback(settings: Settings) -> int | None:
    parts = urlsplit(settings.vlm_endpoint)
    told = settings.beside.get("VIA_SERVER_VLM_ENDPOINT")
    if not settings.via_backend or told or parts.hostname not in LOOPBACK:
        return None
    return parts.port or (443 if parts.scheme == "https" else 80)
