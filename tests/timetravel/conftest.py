"""What tests of replays share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow, not wrong.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "footage"


@pytest.fixture
def footage_log() -> Path:
    """The lab's trajectory log, where the recordings are beside the project."""
    log = FOOTAGE / "living_trajectory_1min_0.2s.csv"
    if not log.is_file():
        pytest.skip("the recordings are not beside the project")
    return log
