"""Runs all checks side by side, within a total time, and puts their findings in the order of the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from extension.clock import Clock
from extension.command.doctor import machine, receivers, verdicts, via, vlm
from extension.command.doctor.finding import Finding, warned
from extension.command.doctor.targets import Targets, targets
from extension.command.doctor.together import together
from extension.settings import Settings

TOTAL_S = 20.0
"""Everything is said after this long, whoever hangs."""


def examine(settings: Settings, clock: Clock, within_s: float = TOTAL_S) -> list[Finding]:
    """Run all checks."""
    where = targets(settings)
    done = together(_work(settings, where, clock), within_s)
    seen_via, seen_vlm = done.get("via"), done.get("vlm")
    late = [_late("this machine")] if "machine" not in done else []
    listeners, skews_s = done.get("receivers", ([_late("receivers")], {}))
    return [
        *done.get("machine", late),
        *done.get("gpu", []),
        *via.findings(where, seen_via),
        *verdicts.findings(where, seen_via, seen_vlm),
        *listeners,
        *receivers.clocks(_skews_s(seen_via, seen_vlm) | skews_s),
    ]


def _work(settings: Settings, where: Targets, clock: Clock) -> dict[str, Callable[[], Any]]:
    work: dict[str, Callable[[], Any]] = {
        "machine": partial(machine.look, settings, where.service),
        "gpu": lambda: [machine.gpu()],
        "receivers": partial(receivers.look, settings, clock),
    }
    if where.via is not None:
        work["via"] = partial(via.look, where.via, clock)
    if where.vlm is not None:
        work["vlm"] = partial(vlm.look, where.vlm, where.model, clock)
    return work


def _skews_s(seen_via: via.ViaSeen | None, seen_vlm: vlm.VlmSeen | None) -> dict[str, float]:
    skews = {"via-server": seen_via and seen_via.skew_s, "vlm": seen_vlm and seen_vlm.skew_s}
    return {name: skew for name, skew in skews.items() if isinstance(skew, float)}


def _late(name: str) -> Finding:
    return warned(name, "not known: the checks took too long", "run this again")
