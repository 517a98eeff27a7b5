"""Which evidence goes: by age, by bytes, oldest first, and never what is held."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.evidence.retention import Keep, Stored, surplus

NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
PLENTY = 10**12


def one(name: str, age_s: float, size_bytes: int = 10) -> Stored:
    """Evidence made so long ago."""
    return Stored(Path("outputs/job/evidence") / name, name, NOW - dt.timedelta(seconds=age_s), size_bytes)


def gone(stored: list[Stored], age_s: float = 1000, most_bytes: int = PLENTY, held: str = "") -> list[str]:
    """Ids of what goes; what is held is named by its letters."""
    found = surplus(stored, NOW, Keep(age_s, most_bytes), lambda name: name in held)
    return [each.incident_id for each in found]


@pytest.mark.parametrize(
    ("stored", "limits", "wanted"),
    [
        pytest.param([], {}, [], id="nothing-there"),
        pytest.param([one("a", 10), one("b", 999)], {}, [], id="all-young"),
        pytest.param([one("a", 10), one("b", 2000), one("c", 3000)], {}, ["c", "b"], id="by-age"),
        pytest.param([one("a", 1000)], {}, [], id="to-the-second"),
        pytest.param([one("a", 1), one("b", 2), one("c", 3)], {"most_bytes": 20}, ["c"], id="by-bytes"),
        pytest.param([one("a", 1, 50), one("b", 2)], {"most_bytes": 20}, ["b", "a"], id="one-too-large"),
        pytest.param([one("a", 1), one("b", 2)], {"most_bytes": 20}, [], id="just-full"),
        pytest.param(
            [one("a", 1), one("b", 2), one("c", 3)], {"most_bytes": 10, "held": "c"}, ["b", "a"], id="held"
        ),
        pytest.param([one("a", 5000), one("b", 6000)], {"held": "b"}, ["a"], id="held-though-old"),
    ],
)
def test_what_goes(stored: list[Stored], limits: dict[str, object], wanted: list[str]) -> None:
    """Oldest first, as much as must."""
    assert gone(stored, **limits) == wanted  # type: ignore[arg-type]  # limits of one test each


FOUND = st.lists(
    st.builds(one, st.sampled_from("abcdefgh"), st.floats(0, 5000), st.integers(0, 100)),
    max_size=12,
    unique_by=lambda each: each.incident_id,
)


@given(FOUND, st.floats(0, 5000), st.integers(0, 500), st.text("abcdefgh", max_size=8))
def test_what_stays_is_within_the_limits_or_held(
    stored: list[Stored], age_s: float, most_bytes: int, held: str
) -> None:
    """And what goes had to: nothing newer went before it that might have stayed."""
    went = surplus(stored, NOW, Keep(age_s, most_bytes), lambda name: name in held)
    stays = [each for each in stored if each not in went]
    assert not any(each.incident_id in held for each in went)
    loose = [each for each in stays if each.incident_id not in held]
    assert all(each.made_at >= NOW - dt.timedelta(seconds=age_s) for each in loose)
    assert not loose or sum(each.size_bytes for each in stays) <= most_bytes
    assert list(went) == sorted(went, key=lambda each: (each.made_at, each.incident_id))
    if went:
        last = went[-1]
        before = sum(each.size_bytes for each in stays) + last.size_bytes
        assert last.made_at < NOW - dt.timedelta(seconds=age_s) or before > most_bytes


def test_only_what_would_go_is_asked_about() -> None:
    """The store is not asked for every folder at every look."""
    asked: list[str] = []

    def held(name: str) -> bool:
        asked.append(name)
        return False

    surplus([one("a", 1), one("b", 5000)], NOW, Keep(1000, PLENTY), held)
    assert asked == ["b"]
