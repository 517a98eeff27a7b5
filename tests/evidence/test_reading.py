"""Frames of a span, over all parts of a source: each once, with the time for which it is shown."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extension.evidence.parts import Part, whole
from extension.evidence.reading import Notes, shown
from extension.model import Span
from tests.evidence.films import Look, draw, every, number_of

UNEVEN = [0.0, 0.4, 0.5, 2.0, 2.1, 2.2, 5.0, 7.3, 7.4, 9.0]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames at uneven times."""
    return draw(tmp_path_factory.mktemp("film") / "film.mp4", UNEVEN, Look(key_frames=4))


def read(parts: tuple[Part, ...], span: Span) -> list[tuple[int, float, float]]:
    """Number, beginning and end of every frame shown."""
    return [
        (
            number_of(one.frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)),
            round(one.at_s, 3),
            round(one.until_s, 3),
        )
        for one in shown(parts, span, Notes())
    ]


def test_the_first_frame_is_the_one_on_show(film: Path) -> None:
    """With the time from which it is: before the span begins."""
    assert read(whole(film, 10.0), Span(1.0, 2.15)) == [(2, 0.5, 2.0), (3, 2.0, 2.1), (4, 2.1, 2.15)]


def test_a_span_within_one_frame_has_that_frame(film: Path) -> None:
    """However short it is."""
    assert read(whole(film, 10.0), Span(3.0, 3.2)) == [(5, 2.2, 3.2)]


def test_a_frame_that_begins_where_the_span_ends_is_not_in_it(film: Path) -> None:
    """Spans are half-open; where one begins, its own frame is shown."""
    assert read(whole(film, 10.0), Span(0.4, 2.0)) == [(1, 0.4, 0.5), (2, 0.5, 2.0)]
    assert read(whole(film, 10.0), Span(5.0, 5.5))[0][0] == 6


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start_s=st.integers(0, 895), length_s=st.integers(5, 600))
def test_any_span_is_read_without_gap_and_without_repeating(film: Path, start_s: int, length_s: int) -> None:
    """Frames follow one another, and each is shown until the next one comes."""
    span = Span(start_s / 100, min(10.0, (start_s + length_s) / 100))
    found = read(whole(film, 10.0), span)
    numbers = [number for number, _, _ in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert found[0][1] <= span.start_s + 1e-3
    assert all(one[2] == two[1] for one, two in itertools.pairwise(found))
    assert all(at_s == pytest.approx(UNEVEN[number], abs=1e-3) for number, at_s, _ in found)


def test_a_part_that_begins_within_a_file_shows_the_frame_on_show_there(film: Path) -> None:
    """On the source's own axis, and from the part's beginning on."""
    parts = (Part(film, 1.0, 2.15, 50.0),)
    assert read(parts, Span(50.0, 51.15)) == [(2, 50.0, 51.0), (3, 51.0, 51.1), (4, 51.1, 51.15)]


def test_parts_that_overlap_show_nothing_twice(tmp_path: Path) -> None:
    """Segments may share a moment; time never goes back."""
    one, two = draw(tmp_path / "one.mp4", every(2)), draw(tmp_path / "two.mp4", every(2))
    found = read((Part(one, 0.0, 2.0, 0.0), Part(two, 0.0, 2.0, 1.5)), Span(0.0, 3.5))
    starts = [at_s for _, at_s, _ in found]
    assert starts == sorted(set(starts))
    assert starts == pytest.approx([n / 10 for n in range(35)])


def test_only_what_is_asked_for_is_opened(tmp_path: Path, film: Path) -> None:
    """Parts elsewhere may be gone by now."""
    notes = Notes()
    parts = (Part(tmp_path / "gone.mp4", 0.0, 10.0, 0.0), Part(film, 0.0, 10.0, 10.0))
    assert list(shown(parts, Span(11.0, 12.0), notes))
    assert notes.unreadable == []
    assert list(shown(parts, Span(5.0, 6.0), notes)) == []
    assert notes.unreadable == ["gone.mp4"]


def test_a_reader_may_stop_at_any_frame(film: Path) -> None:
    """The file is closed with it."""
    frames = shown(whole(film, 10.0), Span(0.0, 10.0), Notes())
    assert next(frames).at_s == 0.0
    frames.close()  # type: ignore[attr-defined]  # it is a generator
    assert next(frames, None) is None


def test_a_playlist_is_not_followed(tmp_path: Path, film: Path) -> None:
    """It could name any file of the machine."""
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{film}\n#EXT-X-ENDLIST\n", "utf-8")
    notes = Notes()
    assert list(shown(whole(playlist, 10.0), Span(0.0, 5.0), notes)) == []
    assert notes.unreadable == ["list.m3u8"]
