"""A backtest as one JSON-ready page. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Any

from extension.command.backtest_shapes import Side, Trial
from extension.model import Incident
from extension.pipeline.backtest.difference import Difference, Lone


def as_json(trials: Sequence[Trial]) -> dict[str, Any]:
    """All of it: times in media seconds, and on the wall clock where that is known."""
    return {"sources": [_trial(trial) for trial in trials]}


def counts(incidents: Sequence[Incident]) -> dict[str, int]:
    """Incidents by severity, worst first, and by kind."""
    severities = Counter(incident.severity for incident in incidents)
    kinds = Counter(incident.kind for incident in incidents)
    worst_first = sorted(severities, key=lambda severity: -severity.rank)
    return {str(s): severities[s] for s in worst_first} | {str(k): kinds[k] for k in sorted(kinds)}


def at(trial: Trial, media_s: float) -> str | None:
    """The wall clock at a media offset, to a tenth of a second; None where it is not known."""
    if trial.start_at is None:
        return None
    return (trial.start_at + dt.timedelta(seconds=media_s)).isoformat(timespec="milliseconds")


def _trial(trial: Trial) -> dict[str, Any]:
    told = trial.difference
    return {
        "source": trial.source,
        "start_at": trial.start_at.isoformat() if trial.start_at else None,
        "media_s": round(trial.media_s, 3),
        "sides": [_side(trial, side) for side in trial.sides],
        "difference": _difference(trial, told) if told else None,
    }


def _side(trial: Trial, side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "rules": dict(side.rules),
        "incidents": [_incident(trial, incident) for incident in side.incidents],
        "counts": {"all": len(side.incidents), **counts(side.incidents)},
        "windows": dict(side.windows),
        "second_looks": dict(side.second_looks),
        "notes": list(side.notes),
    }


def _difference(trial: Trial, told: Difference) -> dict[str, Any]:
    return {
        "appeared": [_lone(trial, one) for one in told.appeared],
        "vanished": [_lone(trial, one) for one in told.vanished],
        "changed": [
            {
                "ways": list(one.ways),
                "before": _incident(trial, one.before),
                "after": _incident(trial, one.after),
            }
            for one in told.changed
        ],
        "same": len(told.same),
    }


def _lone(trial: Trial, one: Lone) -> dict[str, Any]:
    within = _incident(trial, one.within) if one.within else None
    return {**_incident(trial, one.incident), "within": within}


def _incident(trial: Trial, incident: Incident) -> dict[str, Any]:
    return {
        "kind": incident.kind.value,
        "severity": incident.severity.value,
        "check": incident.check.value,
        "basis": incident.basis.value,
        "objects": list(incident.objects),
        "start_s": round(incident.span.start_s, 3),
        "end_s": round(incident.span.end_s, 3),
        "start_at": at(trial, incident.span.start_s),
        "end_at": at(trial, incident.span.end_s),
        "description": incident.description,
    }
