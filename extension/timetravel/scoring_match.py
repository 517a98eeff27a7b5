"""The best one-to-one matching of two sides: the largest there is, and of these the cheapest. It knows nothing of what it matches."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Edges = Sequence[Mapping[int, int]]
"""For each place of the left side, what joining it with a place of the right side costs (whole numbers, at least 0)."""


def cheapest_largest(edges: Edges) -> dict[int, int]:
    """Match left places with right places, each at most once.

    Of all matchings with most pairs one with the smallest total cost is found: by shortest augmenting paths with potentials,
    where staying alone costs more than any path may save. Ties go to lower places.

    Args:
        edges: Which pairs are allowed, and their costs.

    Returns:
        Right place by left place, in the order of the left side.
    """
    right = {item for costs in edges for item in costs}
    if len(right) < len(edges):  # fewer searches from the shorter side
        turned = _turned(edges)
        found = {item: place for place, item in _assigned([turned[key] for key in sorted(turned)]).items()}
        names = sorted(turned)
        return {left: names[found[left]] for left in sorted(found)}
    return dict(sorted(_assigned(edges).items()))


def _turned(edges: Edges) -> dict[int, dict[int, int]]:
    turned: dict[int, dict[int, int]] = defaultdict(dict)
    for left, costs in enumerate(edges):
        for right, cost in costs.items():
            turned[right][left] = cost
    return turned


@dataclass
class _State:
    """A growing assignment. Item -1-n stands for staying alone of agent n, so that everybody always finds an item."""

    edges: Edges
    alone: int
    holder: dict[int, int] = field(default_factory=dict)
    holds: dict[int, int] = field(default_factory=dict)
    agent_potential: dict[int, int] = field(default_factory=dict)
    item_potential: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def costs(self, agent: int) -> dict[int, int]:
        """What each item costs an agent."""
        return {**self.edges[agent], -1 - agent: self.alone}

    def reduced(self, agent: int, item: int, cost: int) -> int:
        """A cost less what the potentials already account for; never negative."""
        return cost + self.agent_potential[agent] - self.item_potential[item]


def _assigned(edges: Edges) -> dict[int, int]:
    dearest = [max(costs.values(), default=0) for costs in edges]
    state = _State(edges, alone=1 + sum(dearest))
    for agent in range(len(edges)):
        _seat(state, agent)
    return {agent: item for agent, item in state.holds.items() if item >= 0}


def _seat(state: _State, newcomer: int) -> None:
    """Give a newcomer an item along the cheapest path of moves, which may end with somebody staying alone."""
    state.agent_potential[newcomer] = max(
        state.item_potential[item] - cost for item, cost in state.costs(newcomer).items()
    )
    distance: dict[int, int] = {}
    came_from: dict[int, int] = {}
    agents = {newcomer: 0}
    heap: list[tuple[int, int]] = []
    walker, walked = newcomer, 0
    while True:
        for item, cost in state.costs(walker).items():
            there = walked + state.reduced(walker, item, cost)
            if item not in distance or there < distance[item]:
                distance[item], came_from[item] = there, walker
                heapq.heappush(heap, (there, item))
        walked, item = heapq.heappop(heap)
        while walked > distance[item] or (item in state.holder and state.holder[item] in agents):
            walked, item = heapq.heappop(heap)
        if item not in state.holder:
            break
        walker = state.holder[item]
        agents[walker] = walked
    _raise_potentials(state, agents, distance, walked)
    _move(state, came_from, item, newcomer)


def _raise_potentials(state: _State, agents: dict[int, int], distance: dict[int, int], total: int) -> None:
    for agent, walked in agents.items():
        state.agent_potential[agent] += walked - total
    for item, walked in distance.items():
        if walked < total:
            state.item_potential[item] += walked - total


def _move(state: _State, came_from: dict[int, int], item: int, newcomer: int) -> None:
    while True:
        agent = came_from[item]
        left = state.holds.get(agent)
        state.holds[agent], state.holder[item] = item, agent
        if agent == newcomer or left is None:
            return
        item = left
