"""A job that has only a log: which parts of it are drawn, which instant each frame shows, and what a crash or a stop leaves."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.model import Job, JobOptions, Piece, VlmUse
from extension.pipeline.drawing import Cut, Drawn, cut_down, draw
from extension.pipeline.patience import Stopped
from extension.pipeline.selection import NEAR
from extension.sources.replay.camera import chosen_camera
from extension.sources.replay.style import Extent, Level, Style, look
from extension.timetravel.contacts import contacts
from extension.timetravel.timeline import stated
from extension.timetravel.trajectory import Track, Trajectory, micros
from tests.pipeline.replays import START, Meetings, job_of, log_of

CALM: Meetings = {}
TWO: Meetings = {("1", "2"): [(20.0, 21.0)], ("3", "4"): [(50.0, 50.4)]}
CONTACT_CM = 100.0


def job(**options: object) -> Job:
    """A job that has only a log, shown in the least work."""
    made = replace(JobOptions(level=Level.ABSTRACT.value), **options)  # type: ignore[arg-type]  # tests set any option
    return replace(job_of(made, 0), name="yard.mp4", media_path="")


def drawn_into(
    folder: Path, log: Trajectory, wanted: Job, stop: threading.Event | None = None, chunk_s: int = 2
) -> Drawn:
    """The video of a job."""
    return draw(wanted, log, folder, stop or threading.Event(), chunk_s=chunk_s, contact_cm=CONTACT_CM)


def frames_of(path: Path) -> tuple[int, float]:
    """How many frames a video has, and how many a second."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        return sum(1 for _ in container.decode(stream)), float(stream.average_rate or 0)


meetings = st.dictionaries(
    st.sampled_from([("1", "2"), ("2", "3"), ("4", "5")]),
    st.tuples(st.integers(0, 110), st.sampled_from([0.0, 1.0, 9.0])).map(
        lambda m: [(m[0] / 2, m[0] / 2 + m[1])]
    ),
    max_size=3,
)


@settings(max_examples=40, deadline=None)
@given(found=meetings, speed=st.sampled_from([0.5, 1.0, 3.0]), chunk_s=st.sampled_from([2, 5]))
def test_pieces_hold_every_contact_and_whole_chunks(found: Meetings, speed: float, chunk_s: int) -> None:
    """In the order of the log, the first at its beginning; every contact is shown with its own instants."""
    log = log_of(found, 60.0)
    parts = cut_down(log, speed=speed, chunk_s=chunk_s, contact_cm=CONTACT_CM)
    cut, media_s = parts.pieces, parts.media_s
    assert cut[0] == Piece(0.0, log.start_at)
    ends = [*(piece.media_s for piece in cut[1:]), media_s]
    for piece, end_s in zip(cut, ends, strict=True):
        assert end_s > piece.media_s
        assert (end_s - piece.media_s) % chunk_s == 0
    for before, after in itertools.pairwise(cut):
        length_s = (after.media_s - before.media_s) * speed
        assert after.start_at >= before.start_at + dt.timedelta(seconds=length_s)
    line = stated(log.start_at, speed, log.start_at, cut)
    for contact in contacts(log, CONTACT_CM):
        for at in (contact.start_at, contact.end_at):
            assert abs((line.at(line.media_s(at)) - at).total_seconds()) < 1e-3


@settings(max_examples=40, deadline=None)
@given(found=meetings, speed=st.sampled_from([0.5, 1.0, 3.0]))
def test_every_frame_shows_the_instant_that_the_pieces_say(found: Meetings, speed: float) -> None:
    """The timeline made of the same pieces names the same instants, to the microsecond before."""
    log = log_of(found, 60.0)
    cut = cut_down(log, speed=speed, chunk_s=2, contact_cm=CONTACT_CM)
    style = replace(look(Level.ABSTRACT), speed=speed)
    instants = cut.instants(style)
    assert instants.dtype == np.int64
    assert instants.shape == (round(cut.media_s * style.fps),)
    assert (np.diff(instants) > 0).all()
    line = stated(log.start_at, speed, log.start_at, cut.pieces)
    for frame in range(0, len(instants), 97):
        expected = micros(line.at(frame / style.fps))
        assert -2 <= int(instants[frame]) - expected <= 2


def test_two_pieces_jump_where_the_second_begins() -> None:
    """Half a second each at ten frames a second, twice the speed."""
    cut = (Piece(0.0, START), Piece(0.5, START + dt.timedelta(seconds=30)))
    at_us = Cut(cut, 1.0, ((), ())).instants(Style(fps=10, speed=2.0)) - micros(START)
    assert at_us.tolist() == [
        *(200_000 * n for n in range(5)),
        *(30_000_000 + 200_000 * n for n in range(5)),
    ]


def test_a_calm_log_is_one_chunk_and_a_busy_one_is_all_of_it() -> None:
    """The shortest and the longest."""
    calm = cut_down(log_of(CALM, 60.0), speed=1.0, chunk_s=2, contact_cm=CONTACT_CM)
    assert calm == Cut((Piece(0.0, START),), 2.0, ((),))
    busy = cut_down(log_of({("1", "2"): [(0.0, 60.0)]}, 60.0), speed=1.0, chunk_s=2, contact_cm=CONTACT_CM)
    assert busy == Cut((Piece(0.0, START),), 60.0, (("1", "2"),))


def test_nearness_counts_not_only_contact() -> None:
    """Whoever comes near enough to be asked about is drawn as well."""
    log = log_of(CALM, 60.0)
    track = log.tracks["obj002"]
    at_s = np.arange(len(track.at_us)) / 5
    places = track.places.copy()
    places[(at_s >= 30) & (at_s <= 31), 0] = 1000.0 + NEAR * CONTACT_CM - 1.0
    log = replace(log, tracks={**log.tracks, "obj002": Track(track.at_us, places)})
    assert contacts(log, CONTACT_CM) == ()
    cut = cut_down(log, speed=1.0, chunk_s=2, contact_cm=CONTACT_CM)
    assert cut.about == ((), ("1", "2"))
    assert [piece.start_at - START for piece in cut.pieces] == [dt.timedelta(0), dt.timedelta(seconds=28)]


def test_a_part_is_seen_from_near_those_it_is_about() -> None:
    """Still throughout, with both in the picture; a calm part, and a picture of a fixed extent, are seen as ever."""
    log = log_of({("1", "2"): [(30.0, 31.0)]}, 60.0)
    far = Track(log.tracks["obj003"].at_us, log.tracks["obj003"].places + 20_000.0)
    log = replace(log, tracks={**log.tracks, "obj003": far})
    style = look(Level.ABSTRACT)
    cut = cut_down(log, speed=1.0, chunk_s=2, contact_cm=CONTACT_CM)
    cameras, at_us = list(cut.cameras(log, style)), cut.instants(style)
    assert len(cameras) == len(at_us)
    whole = chosen_camera(log, style)
    first = round(cut.pieces[1].media_s * style.fps)
    assert set(cameras[:first]) == {whole}
    (near,) = set(cameras[first:])
    assert near.px_per_cm > 3 * whole.px_per_cm
    for name in ("obj001", "obj002"):
        seen = near.seen(log.tracks[name].places_at(at_us[first:]))
        margin_px = style.radius_cm * near.px_per_cm
        assert (seen > margin_px).all()
        assert (seen < np.array([style.width, style.height]) - margin_px).all()
    fixed = replace(style, extent=Extent(-5_000.0, -5_000.0, 30_000.0, 30_000.0))
    assert set(cut.cameras(log, fixed)) == {chosen_camera(log, fixed)}


@pytest.mark.parametrize("vlm", list(VlmUse))
def test_only_what_is_asked_about_is_drawn(tmp_path: Path, vlm: VlmUse) -> None:
    """All of the log when the VLM is asked about all; otherwise the candidates, and the options say how they lie."""
    log = log_of({("1", "2"): [(20.0, 21.0)]}, 24.0)
    drawn = drawn_into(tmp_path, log, job(vlm=vlm, speed=3.0))
    frames, fps = frames_of(drawn.path)
    assert drawn.options.start_at == log.start_at
    if vlm is VlmUse.ALL:
        assert drawn.options.pieces == ()
        assert frames / fps == pytest.approx(8.0, abs=0.1)
    else:
        cut = cut_down(log, speed=3.0, chunk_s=2, contact_cm=CONTACT_CM)
        assert drawn.options.pieces == cut.pieces
        assert frames / fps == pytest.approx(cut.media_s, abs=0.1)


def test_the_options_that_were_asked_for_stay(tmp_path: Path) -> None:
    """Drawing adds where the video lies in the log, and changes nothing else."""
    wanted = job(vlm=VlmUse.OFF, speed=3.0, merge_gap_s=0.25, prompt="twin_view", geometry=False)
    drawn = drawn_into(tmp_path, log_of(CALM, 12.0), wanted)
    assert drawn.path == tmp_path / "yard.mp4"
    assert replace(drawn.options, start_at=None, pieces=()) == wanted.options


def test_a_finished_video_is_taken_as_it_is(tmp_path: Path) -> None:
    """Resumed after a crash: not drawn again, yet where it lies is said again."""
    log, wanted = log_of(TWO, 60.0), job(vlm=VlmUse.CANDIDATES, speed=3.0)
    (tmp_path / "yard.mp4").write_bytes(b"drawn before")
    drawn = drawn_into(tmp_path, log, wanted)
    assert drawn.path.read_bytes() == b"drawn before"
    assert drawn.options.pieces == cut_down(log, speed=3.0, chunk_s=2, contact_cm=CONTACT_CM).pieces


def test_resumed_drawing_says_what_the_first_drawing_said(tmp_path: Path) -> None:
    """Options and file are those of the run that drew."""
    log, wanted = log_of({("1", "2"): [(9.0, 9.4)]}, 12.0), job(vlm=VlmUse.CANDIDATES, speed=3.0)
    first = drawn_into(tmp_path, log, wanted)
    made = first.path.read_bytes()
    again = drawn_into(tmp_path, log, replace(wanted, options=first.options))
    assert again == first
    assert again.path.read_bytes() == made


def test_a_stop_leaves_no_video(tmp_path: Path) -> None:
    """Neither whole nor in part; the next start draws it."""
    stop = threading.Event()
    stop.set()
    log, wanted = log_of(CALM, 12.0), job(speed=3.0)
    with pytest.raises(Stopped):
        drawn_into(tmp_path / "replay", log, wanted, stop)
    assert not [path for path in (tmp_path / "replay").rglob("*") if path.is_file()]
    stop.clear()
    assert drawn_into(tmp_path / "replay", log, wanted, stop).path.is_file()


@pytest.mark.parametrize("name", ["yard.mp4", "log.csv", "영상 1.mp4", "no-ending"])
def test_the_video_is_named_after_the_job(tmp_path: Path, name: str) -> None:
    """Whatever it was called."""
    wanted = replace(job(vlm=VlmUse.OFF), name=name)
    (tmp_path / f"{Path(name).stem}.mp4").write_bytes(b"there")
    assert drawn_into(tmp_path, log_of(CALM, 12.0), wanted).path.name == f"{Path(name).stem}.mp4"
