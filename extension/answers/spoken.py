"""What answers in every language write alike: numbers and coordinates. Pure."""

from __future__ import annotations

from extension.answers.retrieve import Fact


def moment(seconds: float) -> str:
    """Seconds of media time to a tenth, without a needless ".0"."""
    return f"{seconds:.1f}".removesuffix(".0")


def coordinates(fact: Fact) -> str:
    """Where the fact's objects were, on the ground plane of the trajectory log (x, z) in its own units."""
    return ", ".join(f"{p.objid} (x {p.x:.1f}, z {p.z:.1f})" for p in fact.positions)
