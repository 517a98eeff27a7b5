"""Gathering rows by object: in memory or over files, in one pass or many, the outcome is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.errors import BadTrajectory
from extension.timetravel import log_gather
from extension.timetravel.log_columns import Memory
from extension.timetravel.log_gather import Gatherer, Oddities
from extension.timetravel.log_rows import Block, Row, block_of, blocks_of

rows = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from("abc"), st.integers(0, 1)), min_size=1, max_size=60
).map(
    lambda found: [
        Row(n, at * 1_000_000, who, (float(x), 0.0, float(at))) for n, (at, who, x) in enumerate(found, 2)
    ]
)


def no_folder() -> Path:
    """For logs that stay in memory."""
    raise AssertionError("nothing was to go to files")


def in_pieces(found: list[Row], size: int) -> Iterator[Block]:
    """Rows as blocks of that many."""
    for first in range(0, len(found), size):
        yield block_of(found[first : first + size])


def settled(gatherer: Gatherer, blocks: Iterator[Block]) -> object:
    """What a gatherer makes of rows: samples and oddities, or its refusal."""
    for block in blocks:
        gatherer.add(block)
    memory = Memory()
    try:
        odd = gatherer.settle(memory)
    except BadTrajectory as exc:
        return str(exc)
    return {
        name: (t.at_us.tolist(), t.places.tolist()) for name, t in memory.tracks().items()
    }, odd.sentences()


@given(rows, st.integers(1, 20), st.integers(1, 20))
def test_rows_that_go_to_files_come_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, found: list[Row], size: int, most: int
) -> None:
    """However many rows fit into memory, and however they come."""
    at_once = settled(Gatherer(no_folder), iter([block_of(found)]))
    gatherer = Gatherer(lambda: tmp_path_factory.mktemp("spill"), most_rows=most)
    assert settled(gatherer, in_pieces(found, size)) == at_once
    assert gatherer.count == len(found)
    assert gatherer.spilled == (len(found) > most)


@given(rows)
def test_what_is_told_follows_from_the_rows(found: list[Row]) -> None:
    """Each instant once, by time; the first contradiction by its second row."""
    seen: dict[tuple[str, int], Row] = {}
    for row in found:
        earlier = seen.setdefault((row.objid, row.at_us), row)
        if earlier.place != row.place:
            told = settled(Gatherer(no_folder), iter([block_of(found)]))
            assert isinstance(told, str)
            assert told.startswith(f"lines {earlier.line} and {row.line} give two places for {row.objid!r}")
            return
    told = settled(Gatherer(no_folder), iter([block_of(found)]))
    assert isinstance(told, tuple)
    samples, sentences = told
    assert {(o, at) for o, (ats, _) in samples.items() for at in ats} == set(seen)
    assert all(ats == sorted(set(ats)) for ats, _ in samples.values())
    assert any("repeated" in sentence for sentence in sentences) == (len(seen) < len(found))


def test_the_folder_is_asked_for_once_and_left_empty(tmp_path: Path) -> None:
    """Rows that were handed on need no file."""
    asked: list[int] = []

    def folder() -> Path:
        asked.append(1)
        return tmp_path

    found = [Row(n, n, f"obj{n % 3}", (0.0, 0.0, 0.0)) for n in range(40)]
    settled(Gatherer(folder, most_rows=5), in_pieces(found, 4))
    assert asked == [1]
    assert list(tmp_path.iterdir()) == []


def test_the_box_around_all_places_is_known() -> None:
    """Over all blocks."""
    gatherer = Gatherer(no_folder)
    for block in in_pieces([Row(n, n, "a", (float(n), -float(n), 5.0)) for n in range(9)], 2):
        gatherer.add(block)
    assert gatherer.low.tolist() == [0.0, -8.0, 5.0]
    assert gatherer.high.tolist() == [8.0, 0.0, 5.0]


def test_rows_before_one_object_too_many_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a contradiction among them can be told first."""
    monkeypatch.setattr(log_gather, "MOST_OBJECTS", 3)
    gatherer = Gatherer(no_folder, unit="row")
    with pytest.raises(BadTrajectory, match="row 4: more than"):
        gatherer.add(block_of([Row(n, n, f"obj{n}", (0.0, 0.0, 0.0)) for n in range(1, 9)]))
    assert gatherer.count == 3
    memory = Memory()
    gatherer.settle(memory)
    assert list(memory.tracks()) == ["obj1", "obj2", "obj3"]


def test_names_of_a_block_may_be_there_twice() -> None:
    """Ids that differ by the spaces around them alone."""
    gatherer = Gatherer(no_folder)
    gatherer.add(Block(np.arange(3), np.arange(3), np.array([0, 1, 0]), ["a", "a"], np.zeros((3, 3))))
    memory = Memory()
    gatherer.settle(memory)
    assert {name: len(t.at_us) for name, t in memory.tracks().items()} == {"a": 3}


def test_oddities_are_counted_and_the_first_is_named() -> None:
    """In whatever order they are found."""
    odd = Oddities("row")
    assert odd.sentences() == []
    odd.add_repeated(0, 1)
    odd.add_back(0, 1, "z")
    assert odd.sentences() == []
    odd.add_back(1, 9, "a")
    odd.add_back(2, 4, "b")
    odd.add_back(1, 5, "c")
    odd.add_repeated(3, 8)
    odd.add_repeated(1, 7)
    assert odd.sentences() == [
        "rows were not in time order: the clock of 'b' goes back at row 4 (4 such rows in all); they were sorted",
        "4 repeated rows were dropped (first at row 7)",
    ]


def test_rows_before_a_bad_one_come_out_before_its_error() -> None:
    """A reader that fails has said all that it knew."""

    def failing() -> Iterator[Row]:
        for n in range(5):
            yield Row(n, n, "a", (0.0, 0.0, 0.0))
        raise BadTrajectory("line 5: bad")

    taken: list[int] = []
    with pytest.raises(BadTrajectory, match="line 5: bad"):
        taken.extend(line for block in blocks_of(failing(), most=2) for line in block.line.tolist())
    assert taken == [0, 1, 2, 3, 4]
