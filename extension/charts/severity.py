"""The colours of severities, the same as on the page: each stands out from white, and they differ in lightness as well as in hue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from matplotlib.patches import Patch

from extension.model import Severity

COLOURS: Final = {
    Severity.SAFE: "#2f855a",
    Severity.WARN: "#d69e2e",
    Severity.DANGER: "#dd5b1a",
    Severity.EXTREME: "#a3123a",
}
WORDS: Final = {
    Severity.SAFE: "safe",
    Severity.WARN: "warning",
    Severity.DANGER: "danger",
    Severity.EXTREME: "extreme",
}


def legend(severities: Iterable[Severity]) -> list[Patch]:
    """Keys for a legend, worst first."""
    return [
        Patch(facecolor=COLOURS[severity], label=WORDS[severity])
        for severity in sorted(severities, key=lambda severity: -severity.rank)
    ]
