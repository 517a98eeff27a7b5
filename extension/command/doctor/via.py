"""Looks at the via-server: whether it is ready, which engine it speaks like, and what becomes of a probe clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from extension.clock import Clock
from extension.command.doctor import clip
from extension.command.doctor.asking import Asked, NoAnswer, skew_s
from extension.command.doctor.finding import Finding, failed, passed, warned
from extension.command.doctor.targets import Targets

_TIMEOUT_S = 4.0
_CLIP_S = 13.0
_MAX_TOKENS = 512
_NOT_FOUND = 404
# `max_tokens` of a caption request: the one limit that differs between the engines' contracts.
_ENGINES = {1024: "2.4.0", 10240: "2.4.1"}


@dataclass(frozen=True, slots=True)
class ViaSeen:
    """What was seen of a via-server.

    Attributes:
        trouble: Why it cannot be used; None when it can.
        model: Its model's id.
        owner: Who it says owns the model: the VLM's address.
        engine: What its /openapi.json tells of its version; empty when that tells nothing.
        skew_s: How far its clock is ahead of ours; None when it does not say.
        shown: What came of the clip.
    """

    trouble: NoAnswer | None = None
    model: str = ""
    owner: str = ""
    engine: str = ""
    skew_s: float | None = None
    shown: clip.Shown = field(default_factory=clip.Shown)


def look(via: Asked, clock: Clock) -> ViaSeen:
    """Ask a via-server all there is to ask."""
    try:
        ready = via.fetch("GET", "/health/ready", _TIMEOUT_S)
        if not ready.ok or ready.is_redirect:
            raise _no_via_server(via, ready.status_code)
        model, owner = _model(via)
    except NoAnswer as exc:
        return ViaSeen(trouble=exc)
    return ViaSeen(
        model=model,
        owner=owner,
        engine=_engine(via),
        skew_s=skew_s(ready, clock.now()),
        shown=clip.exchange(via.url, model, _MAX_TOKENS, _CLIP_S),
    )


def findings(targets: Targets, seen: ViaSeen | None) -> list[Finding]:
    """What there is to say of the via-server itself."""
    if targets.via is None:
        return [passed("via-server", "the embedded one will be started, with the override inside")]
    if seen is None:
        return [failed("via-server", "does not answer in time", f"restart it, or {targets.via.mend}")]
    if seen.trouble is not None:
        return [failed("via-server", seen.trouble.detail, seen.trouble.fix)]
    kind = "the embedded one" if targets.embedded_via else "ready"
    return [passed("via-server", f"{kind}, model {seen.model}"), _version(seen), *_overrides(seen)]


def _version(seen: ViaSeen) -> Finding:
    name = "engine"
    if not seen.engine:
        detail = "version unknown: its REST interface does not tell, nor does its /openapi.json"
        return warned(name, detail, "made for VSS 2.4.0 and 2.4.1: see that it is one of them")
    if seen.engine not in _ENGINES.values():
        detail = f"speaks as VSS {seen.engine} does (by its /openapi.json), without the captions needed here"
        return failed(name, detail, "start VSS 2.4.0 or 2.4.1 (docs/deployment.md)")
    return passed(name, f"speaks as VSS {seen.engine} does (by its /openapi.json; it tells no version)")


def _overrides(seen: ViaSeen) -> list[Finding]:
    name = "overrides"
    if seen.shown.report:
        return [passed(name, "active: the probe clip's answer came with their report")]
    if seen.shown.caption is None:
        return [warned(name, f"not known: {seen.shown.trouble}", "see the via-server's log")]
    if seen.owner == "custom":
        return [
            warned(name, "a custom-model hook answers, which reports nothing", "see vss_overrides/README.md")
        ]
    detail = "not active: the probe clip's answer came without their report"
    return [warned(name, detail, "lay compose.override.yaml over NVIDIA's compose file (docs/deployment.md)")]


def _no_via_server(via: Asked, status: int) -> NoAnswer:
    if status == _NOT_FOUND and _engine(via) == "3":
        return NoAnswer("speaks as VSS 3 does", "start VSS 2.4.0 or 2.4.1 (docs/deployment.md)")
    if status == _NOT_FOUND:
        return NoAnswer("is no via-server: it has no /health/ready", via.mend)
    return NoAnswer(f"answers /health/ready with {status}", "wait until it is ready, or see its log")


def _model(via: Asked) -> tuple[str, str]:
    page = via.page("/models", _TIMEOUT_S)
    try:
        first = page["data"][0]
        return str(first["id"]), str(first.get("owned_by", ""))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise NoAnswer("offers no model", f"see its log, or {via.mend}") from None


def _engine(via: Asked) -> str:
    """The version whose contract the server's own description shows; empty when there is none to read."""
    # With versioned paths (VSS_API_ENABLE_VERSIONING) the description stands beside them.
    for base in dict.fromkeys((via.url, via.url.removesuffix("/v1"))):
        try:
            page = Asked(base, via.setting, via.what).page("/openapi.json", _TIMEOUT_S)
        except NoAnswer:
            continue
        if isinstance(page, dict) and isinstance(page.get("paths"), dict):
            return engine_of(page)
    return ""


def engine_of(page: dict[str, Any]) -> str:
    """The version that an OpenAPI description looks like: 2.4.0, 2.4.1, 2.3, 3, or empty."""
    routes = {path.rpartition("/")[2] for path in page["paths"]}
    if "generate_vlm_captions" in routes:
        try:
            query = page["components"]["schemas"]["VlmQuery"]["properties"]["max_tokens"]
            return _ENGINES.get(query["maximum"], "")
        except (KeyError, TypeError):
            return ""
    if routes & {"generate_captions", "generate_captions_alerts"}:
        return "3"
    return "2.3" if "summarize" in routes else ""
