"""Questions are understood as far as facts can answer them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.answers.question import Asked, Wish, understand, words
from extension.answers.times import Window
from extension.model import Kind

_LABELS = {"1", "2", "3", "4", "12", "forklift", "worker"}


def _understand(text: str) -> Asked:
    return understand(text, _LABELS, 60.0)


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ("What did object 3 do?", {"3"}),
        ("Did 1 and 4 collide?", {"1", "4"}),
        ("objects 1, 2 and 4", {"1", "2", "4"}),
        ("obj004 and obj012", {"4", "12"}),
        ("#3 vs #4", {"3", "4"}),
        ("object 99", {"99"}),
        ("Did 1 and 99 collide?", {"1", "99"}),
        ("3번은 언제 부딪혔나요?", {"3"}),
        ("1번과 4번이 충돌했나요?", {"1", "4"}),
        ("1번, 4번", {"1", "4"}),
        ("1과 4가 부딪혔나?", {"1", "4"}),
        ("Was the forklift involved?", {"forklift"}),
        ("Did workers fall?", {"worker"}),
        ("What happened at 3 s?", set()),
        ("3초에 무슨 일이 있었나요?", set()),
        ("the top 3 incidents", set()),
        ("3번째 사고", set()),
        ("How many collisions?", set()),
        ("몇 번 충돌했나요?", set()),
        ("Did 3 hit 4 after 12 s?", {"3", "4"}),
        ("Is it 100% sure?", set()),
        ("in 2025?", set()),
    ],
)
def test_objects_are_found(text: str, objects: set[str]) -> None:
    """By number or name, and no number that means something else."""
    assert _understand(text).objects == objects


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Were there collisions?", {Kind.COLLISION}),
        ("who hit whom", {Kind.COLLISION}),
        ("did they overlap", {Kind.COLLISION}),
        ("충돌이 있었나요?", {Kind.COLLISION}),
        ("언제 부딪혔어?", {Kind.COLLISION}),
        ("did anyone fall", {Kind.FALL}),
        ("쓰러진 사람", {Kind.FALL}),
        ("fire or smoke?", {Kind.FIRE, Kind.SMOKE}),
        ("불이 났나요?", {Kind.FIRE}),
        ("연기", {Kind.SMOKE}),
        ("any near misses or collisions?", {Kind.NEAR_MISS}),
        ("a spill", {Kind.SPILL}),
        ("끼임 사고", {Kind.ENTRAPMENT}),
        ("who was trapped", {Kind.ENTRAPMENT}),
        ("an intruder", {Kind.INTRUSION}),
        ("What happened?", set()),
        ("가능한가요? 불가능한가요?", set()),
        ("white shirts", set()),
    ],
)
def test_kinds_are_found(text: str, kinds: set[Kind]) -> None:
    """In both languages, and not inside other words."""
    assert _understand(text).kinds == kinds


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("What happened?", Wish.LIST),
        ("How many accidents were there?", Wish.COUNT),
        ("How often did they collide?", Wish.COUNT),
        ("충돌이 몇 번 있었나요?", Wish.COUNT),
        ("사고는 모두 몇 건인가요?", Wish.COUNT),
        ("How many objects were involved?", Wish.COUNT_OBJECTS),
        ("물체는 몇 개 관련되었나요?", Wish.COUNT_OBJECTS),
        ("When was the first collision?", Wish.FIRST),
        ("첫 충돌은 언제인가요?", Wish.FIRST),
        ("the last incident", Wish.LAST),
        ("마지막 사고", Wish.LAST),
        ("How long did it last?", Wish.LIST),
        ("What was the worst?", Wish.WORST),
        ("가장 심각한 사고", Wish.WORST),
        ("the longest contact", Wish.LONGEST),
        ("가장 오래 겹친 것", Wish.LONGEST),
        ("shortest", Wish.SHORTEST),
        ("Which object collided most?", Wish.MOST),
        ("가장 많이 충돌한 물체", Wish.MOST),
        ("What happened in the first 10 seconds?", Wish.LIST),
        ("How many collisions in the first minute?", Wish.COUNT),
    ],
)
def test_wishes_are_found(text: str, wish: Wish) -> None:
    """Words of time do not count as wishes."""
    assert _understand(text).wish is wish


@pytest.mark.parametrize(
    ("text", "korean"), [("What?", False), ("충돌 있었나요?", True), ("collision 언제?", True), ("", False)]
)
def test_the_language_is_that_of_the_question(text: str, *, korean: bool) -> None:
    """A Hangul letter makes it Korean."""
    assert _understand(text).korean is korean


def test_either_object_is_told_from_both() -> None:
    """By "or" in either language."""
    assert _understand("collisions of 1 or 4").any_object
    assert _understand("1번이나 4번의 충돌").any_object
    assert not _understand("collisions of 1 and 4").any_object


@pytest.mark.parametrize(
    ("text", "window", "objects"),
    [
        ("What happened after 30?", Window(30, math.inf), set()),
        ("Before 12 did 1 and 4 collide?", Window(0, 12), {"1", "4"}),
        ("What happened between 10 and 20?", Window(10, 20), set()),
        ("What happened from 10.5 to 20?", Window(10.5, 20), set()),
        ("What happened between 1 and 4?", None, {"1", "4"}),
        ("at 2025-01-01", None, set()),
    ],
)
def test_numbers_without_a_unit_are_seconds_where_they_can_be_nothing_else(
    text: str, window: Window | None, objects: set[str]
) -> None:
    """Objects come first where there are such."""
    asked = _understand(text)
    assert asked.window == window
    assert asked.objects == objects


def test_where_and_events_are_noticed() -> None:
    """Both change what is told."""
    assert _understand("Where did it happen?").place
    assert _understand("어디에서?").place
    assert _understand("list all events").of_events
    assert not _understand("list all incidents").of_events


def test_words_are_those_that_carry_meaning() -> None:
    """Without particles, stop words and numbers."""
    assert words("Is the worker wearing a helmet at 12?") == {"worker", "wearing", "helmet"}
    assert words("작업자가 헬멧을 쓰고 있나요?") == {"작업자", "헬멧", "쓰고"}


@settings(deadline=None)
@given(text=st.text(max_size=300))
def test_no_question_breaks_it(text: str) -> None:
    """Whatever is asked."""
    _understand(text)
