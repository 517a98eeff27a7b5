"""What an operator says about a camera's place is checked once, for the API, the cameras' file and the disk."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from extension.model import Brief, Origin, Zone
from extension.wire import BriefIn, BriefOut, ZoneIO
from extension.wire.briefs import MOST_LENGTH, MOST_NAME, MOST_NOTES, MOST_POINTS, MOST_ZONES

CORNER = [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]


def zone(**changes: Any) -> dict[str, Any]:
    """A triangle where nobody may be."""
    return {"name": "Press 3", "kind": "no entry", "points": CORNER} | changes


def refusal(page: dict[str, Any]) -> str:
    """Why a brief is refused, where, in words."""
    with pytest.raises(ValidationError) as caught:
        BriefIn.model_validate(page)
    return "; ".join(f"{error['loc']}: {error['msg']}" for error in caught.value.errors())


def test_a_brief_becomes_what_travels_and_comes_back() -> None:
    """Notes without the blanks around them, zones in their order."""
    brief = BriefIn.model_validate({"notes": " Steam.\n", "zones": [zone(), zone(name="보행로")]}).brief()
    corners = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.5))
    assert brief == Brief(
        "Steam.", (Zone("Press 3", "no entry", corners), Zone("보행로", "no entry", corners))
    )
    out = BriefOut.of(brief, Origin.PAGE)
    assert BriefOut.model_validate_json(out.model_dump_json()) == out
    assert out.model_dump(mode="json")["origin"] == "page"
    assert BriefIn(notes=out.notes, zones=out.zones).brief() == brief


def test_nothing_need_be_said() -> None:
    """An empty brief is one."""
    assert BriefIn.model_validate({}).brief() == Brief()


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "3",
        "Press 3",
        "보행로 (동쪽)",
        "zone-1/A",
        "入口",
        "Straße",
        "dock & gate",
        "x" * MOST_NAME,
        "it's",
    ],
)
def test_names_may_have_the_letters_of_any_language(name: str) -> None:
    """And the marks of everyday writing."""
    assert ZoneIO.model_validate(zone(name=name, kind=name)).zone().name == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="blank"),
        pytest.param(" a", id="blank-before"),
        pytest.param("a ", id="blank-after"),
        pytest.param("a\nb", id="two-lines"),
        pytest.param("a\n", id="line-end"),
        pytest.param('a"b', id="quote"),
        pytest.param("<b>", id="markup"),
        pytest.param("{x}", id="braces"),
        pytest.param("a\\b", id="backslash"),
        pytest.param("a\x00", id="nul"),
        pytest.param("a\u202eb", id="turned-round"),
        pytest.param("a\u200bb", id="unseen"),
        pytest.param("a\u2028b", id="line-separator"),
        pytest.param("x" * (MOST_NAME + 1), id="too-long"),
        pytest.param(3, id="a-number"),
    ],
)
def test_other_names_are_refused(name: object) -> None:
    """For the name as for the kind, which are quoted in a prompt and drawn on a page."""
    for field in ("name", "kind"):
        assert f"('zones', 0, '{field}')" in refusal({"zones": [zone(**{field: name})]})


@pytest.mark.parametrize(
    ("points", "complaint"),
    [
        pytest.param(CORNER[:2], "at least 3", id="two-corners"),
        pytest.param([], "at least 3", id="none"),
        pytest.param(CORNER * 7, f"at most {MOST_POINTS}", id="too-many"),
        pytest.param([*CORNER, [1.01, 0]], "less than or equal to 1", id="outside"),
        pytest.param([*CORNER, [0, -0.001]], "greater than or equal to 0", id="above"),
        pytest.param([*CORNER, [math.nan, 0]], "finite", id="no-number"),
        pytest.param([*CORNER, [0, math.inf]], "finite", id="endless"),
        pytest.param([*CORNER, [0.5]], "required", id="half-a-corner"),
        pytest.param([*CORNER, [0.5, 0.5, 0.5]], "at most 2", id="in-space"),
        pytest.param([*CORNER, ["left", 0]], "valid number", id="words"),
        pytest.param([[0.1, 0.1]] * 3, "enclose nothing", id="one-point"),
        pytest.param([[0, 0], [0.5, 0.5], [1, 1]], "enclose nothing", id="a-line"),
        pytest.param([[0, 0], [0.5, 0], [0.5, 0.0001]], "enclose nothing", id="a-hair"),
        pytest.param([[0, 0], [1, 1], [1, 0], [0, 1]], "the sides cross", id="a-bow-tie"),
    ],
)
def test_corners_must_enclose_a_part_of_the_picture(points: list[Any], complaint: str) -> None:
    """Each a share of its width and height."""
    told = refusal({"zones": [zone(points=points)]})
    assert complaint in told
    assert "'points'" in told


def test_the_corners_of_the_picture_are_in_it() -> None:
    """A zone may be all of it, drawn either way round."""
    whole = [[0, 0], [1, 0], [1, 1], [0, 1]]
    for points in (whole, whole[::-1]):
        assert len(ZoneIO.model_validate(zone(points=points)).zone().points) == 4


def test_two_zones_of_one_name_are_refused() -> None:
    """An alert that names one would not say which."""
    assert "two zones have one name" in refusal({"zones": [zone(), zone()]})
    BriefIn.model_validate({"zones": [zone(), zone(name="press 3")]})


def test_there_is_an_end_to_what_may_be_said() -> None:
    """Of notes, of zones, and of both together, which all go into one prompt."""
    assert f"at most {MOST_NOTES}" in refusal({"notes": "x" * (MOST_NOTES + 1)})
    many = [zone(name=f"z{n}") for n in range(MOST_ZONES + 1)]
    assert f"at most {MOST_ZONES}" in refusal({"zones": many})
    BriefIn.model_validate({"zones": many[:-1], "notes": "x" * 1500})
    corners = [*([n / 10, 0] for n in range(10)), *([1 - n / 10, 1] for n in range(10))]
    wide = [zone(name=f"z{n}", points=corners) for n in range(MOST_ZONES)]
    told = refusal({"zones": wide, "notes": "x" * MOST_NOTES})
    assert f"may take {MOST_LENGTH}" in told
    assert "shorten the notes" in told


@pytest.mark.parametrize("notes", ["a\x00b", "a\u202eb", "a\u200bb", "\x1b[31mred"])
def test_notes_with_signs_that_cannot_be_seen_are_refused(notes: str) -> None:
    """Nobody could find them on the page."""
    assert "cannot be seen" in refusal({"notes": notes})


def test_stray_fields_are_refused() -> None:
    """A misspelt field would be lost in silence."""
    assert "Extra inputs" in refusal({"note": "x"})
    assert "Extra inputs" in refusal({"zones": [zone(colour="red")]})


@given(
    points=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=20),
    turn=st.integers(0, 19),
)
def test_where_drawing_begins_does_not_matter(points: list[tuple[float, float]], turn: int) -> None:
    """The same corners from another one on, or the other way round, are taken or refused alike."""
    place = turn % len(points)
    ways = [points, [*points[place:], *points[:place]], points[::-1]]

    def taken(corners: list[tuple[float, float]]) -> bool:
        try:
            ZoneIO(name="a", kind="b", points=corners)
        except ValidationError:
            return False
        return True

    area = (
        abs(sum(x * b - a * y for (x, y), (a, b) in zip(points, [*points[1:], points[0]], strict=True))) / 2
    )
    if abs(area - 1e-4) > 1e-9:
        assert len({taken(way) for way in ways}) == 1
