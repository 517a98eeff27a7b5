"""How long to wait before the next try."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.sources.camera.backoff import Backoff
from extension.sources.camera.trouble import LASTING, Code

BACKOFF = Backoff(first_s=0.5, most_s=30.0, lasting_s=60.0)
PASSING = st.sampled_from([code for code in Code if code not in LASTING])
CHANCE = st.floats(0.0, 1.0, exclude_max=True)


@pytest.mark.parametrize(
    ("failures", "wait_s"), [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (10_000, 30.0)]
)
def test_waits_double_up_to_a_limit(failures: int, wait_s: float) -> None:
    """At the highest chance nearly the whole step."""
    assert BACKOFF.wait_s(failures, Code.DISCONNECTED, 1.0) == pytest.approx(wait_s)


@given(st.integers(1, 100_000), PASSING, CHANCE)
def test_waits_keep_between_half_and_all_of_a_step(failures: int, code: Code, chance: float) -> None:
    """Never nothing, never for ever."""
    step_s = BACKOFF.wait_s(failures, code, 1.0)
    assert step_s / 2 <= BACKOFF.wait_s(failures, code, chance) <= step_s <= 30.0


@given(PASSING, CHANCE)
def test_waits_never_get_shorter(code: Code, chance: float) -> None:
    """With the same chance."""
    waits = [BACKOFF.wait_s(failures, code, chance) for failures in range(1, 20)]
    assert all(later >= earlier for earlier, later in itertools.pairwise(waits))


@pytest.mark.parametrize("code", sorted(LASTING))
def test_what_somebody_must_mend_is_tried_rarely(code: Code) -> None:
    """From the first time on: cameras lock accounts after a few wrong passwords."""
    assert BACKOFF.wait_s(1, code, 0.0) == 30.0
    assert BACKOFF.wait_s(1, code, 1.0) == 60.0


def test_cameras_do_not_come_back_all_at_once() -> None:
    """Different chances are different waits."""
    assert len({BACKOFF.wait_s(3, Code.DISCONNECTED, i / 10) for i in range(10)}) == 10
