"""The matching is the largest there is, and of these the cheapest: compared with trying them all."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.timetravel.scoring_match import cheapest_largest

graphs = st.lists(st.dictionaries(st.integers(0, 4), st.integers(0, 9), max_size=5), max_size=5)


def best_by_trying_all(edges: list[dict[int, int]]) -> tuple[int, int]:
    """Most pairs, and the least they can cost."""
    places = [None, *range(5)]
    found = []
    for choice in itertools.product(places, repeat=len(edges)):
        taken = [item for item in choice if item is not None]
        if len(set(taken)) != len(taken):
            continue
        costs = [edges[n].get(item) for n, item in enumerate(choice) if item is not None]
        if None not in costs:
            found.append((len(costs), -sum(cost for cost in costs if cost is not None)))
    size, gain = max(found)
    return size, -gain


@given(graphs)
def test_it_is_as_large_and_as_cheap_as_any(edges: list[dict[int, int]]) -> None:
    """And uses each place at most once, and only allowed pairs."""
    found = cheapest_largest(edges)
    assert len(set(found.values())) == len(found)
    assert all(item in edges[place] for place, item in found.items())
    cost = sum(edges[place][item] for place, item in found.items())
    assert (len(found), cost) == best_by_trying_all(edges)


@given(graphs)
def test_the_order_of_the_answer_is_that_of_the_left_side(edges: list[dict[int, int]]) -> None:
    """So that lists made of it are by time."""
    assert list(cheapest_largest(edges)) == sorted(cheapest_largest(edges))


@pytest.mark.parametrize(
    ("edges", "found"),
    [
        pytest.param([], {}, id="nobody"),
        pytest.param([{}, {}], {}, id="nothing-allowed"),
        pytest.param([{0: 5}, {0: 3}], {1: 0}, id="the-cheaper-of-two"),
        pytest.param([{0: 0, 1: 9}, {0: 1}], {0: 1, 1: 0}, id="more-pairs-before-less-cost"),
        pytest.param([{7: 2, 9: 1}], {0: 9}, id="places-need-not-be-dense"),
        pytest.param([{0: 1, 1: 2}, {0: 1, 1: 3}], {0: 1, 1: 0}, id="the-cheaper-of-two-arrangements"),
    ],
)
def test_by_hand(edges: list[dict[int, int]], found: dict[int, int]) -> None:
    """Small cases that can be checked by eye."""
    assert cheapest_largest(edges) == found


def test_a_babbling_models_hour_is_matched_at_once() -> None:
    """Four thousand reports against six hundred contacts, each in reach of several."""
    edges = [
        {truth: abs(truth * 6 - i) for truth in range(600) if abs(truth * 6 - i) <= 14} for i in range(4000)
    ]
    found = cheapest_largest(edges)
    assert len(found) == 600
    assert sum(edges[place][item] for place, item in found.items()) == 0
