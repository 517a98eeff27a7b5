"""Drawn replays, measured in their pixels."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.sources.probe import probe
from extension.sources.replay.camera import fit_camera
from extension.sources.replay.generate import generate
from extension.sources.replay.glyphs import stamp_text
from extension.sources.replay.render import frame_instants_us, frames, render
from extension.sources.replay.sample import SAMPLE, ensure_sample
from extension.sources.replay.style import (
    BLACK,
    OPENCV,
    PILLOW,
    WHITE,
    Clock,
    Corner,
    Style,
    contrast,
)
from extension.timetravel.contacts import contacts
from extension.timetravel.trajectory import Track, Trajectory, instant, micros
from extension.timetravel.trajectory_csv import read_trajectory

START = dt.datetime(2025, 1, 1, 23, 59, 50, tzinfo=dt.UTC)
PLAIN = Style(numbers=False, clock=None)
Picture = npt.NDArray[np.uint8]


def walk(*paths: list[tuple[float, float]], step_s: float = 1.0, tz: dt.tzinfo = dt.UTC) -> Trajectory:
    """Objects that are at these (x, z) at each step; two far corners keep the camera where it is."""
    at_us = micros(START) + np.arange(len(paths[0]), dtype=np.int64) * round(step_s * 1e6)
    everyone = [*paths, [(-1000.0, -500.0)] * len(paths[0]), [(1000.0, 500.0)] * len(paths[0])]
    return Trajectory(
        tracks={
            f"obj{n:03d}": Track(at_us.copy(), np.array([(x, 100.0, z) for x, z in path]))
            for n, path in enumerate(everyone, start=1)
        },
        tz=tz,
    )


def first(log: Trajectory, style: Style) -> Picture:
    """The first frame."""
    return next(frames(log, style))


def ink(picture: Picture, ground: int = 229) -> npt.NDArray[np.float64]:
    """How black each pixel is, 0 to 1."""
    return (ground - picture[:, :, 0].astype(np.float64)) / ground


def around(picture: Picture, middle: npt.NDArray[np.float64], reach: int = 16) -> npt.NDArray[np.float64]:
    """Ink near a place; everything else is 0."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    near = np.hypot(columns - middle[0], rows - middle[1]) < reach
    return np.where(near, ink(picture), 0.0)


@given(x=st.floats(-500, 500), z=st.floats(-250, 250))
@settings(max_examples=40, deadline=None)
def test_a_disc_is_where_its_object_is(x: float, z: float) -> None:
    """To a twentieth of a pixel, and of its size to a few hundredths: nothing is rounded."""
    log = walk([(x, z)])
    camera = fit_camera(log, PLAIN)
    middle = camera.seen(log.tracks["obj001"].places)[0]
    weight = around(first(log, PLAIN), middle)
    rows, columns = np.mgrid[: PLAIN.height, : PLAIN.width]
    assert (columns * weight).sum() / weight.sum() == pytest.approx(middle[0], abs=0.05)
    assert (rows * weight).sum() / weight.sum() == pytest.approx(middle[1], abs=0.05)
    assert (weight.sum() / np.pi) ** 0.5 == pytest.approx(50 * camera.px_per_cm, rel=0.03)


@pytest.mark.parametrize(("apart_cm", "joined"), [(90, "joined"), (106, "apart"), (112, "apart")])
@pytest.mark.parametrize("size", [(532, 280), (1280, 720)])
def test_discs_overlap_when_the_log_says_contact(size: tuple[int, int], apart_cm: float, joined: str) -> None:
    """Ink between the two on the line of their centres, or ground."""
    style = replace(PLAIN, width=size[0], height=size[1])
    log = walk([(0.0, 0.0)], [(apart_cm, 0.0)])
    row = camera_row(log, style)
    camera = fit_camera(log, style)
    one, other = (camera.seen(log.tracks[o].places)[0, 0] for o in ("obj001", "obj002"))
    between = ink(first(log, style))[row, int(one) : int(other) + 1]
    assert ("joined" if between.min() > 0.6 else "apart") == joined


def camera_row(log: Trajectory, style: Style) -> int:
    """Pixel row of z = 0."""
    return round(float(fit_camera(log, style).seen(log.tracks["obj001"].places)[0, 1]))


@pytest.mark.parametrize("corner", [None, *Corner])
def test_every_disc_stays_whole_and_clear_of_the_clock(corner: Corner | None) -> None:
    """Same scale both ways, wherever the clock is."""
    style = replace(PLAIN, clock=Clock(corner=corner) if corner else None)
    log = generate(SAMPLE, 1)
    camera = fit_camera(log, style)
    radius = style.radius_cm * camera.px_per_cm
    seen = np.concatenate([camera.seen(track.places) for track in log.tracks.values()])
    strip = round(2.4 * style.clock.size * style.height) if style.clock else 0
    top, bottom = (strip, 0) if corner and corner.is_top else (0, strip)
    assert seen[:, 0].min() > radius
    assert seen[:, 0].max() < style.width - radius
    assert seen[:, 1].min() > top + radius
    assert seen[:, 1].max() < style.height - bottom - radius


def test_frames_cover_the_log_at_its_speed() -> None:
    """A minute at 3x and 30 frames a second: 600 frames, a tenth of a second apart, the end not in."""
    at_us = frame_instants_us(walk([(0.0, 0.0)] * 61), replace(PLAIN, speed=3.0))
    assert len(at_us) == 600
    assert set(np.diff(at_us)) == {100_000}
    assert instant(int(at_us[0])) == START


@given(
    fps=st.integers(1, 60),
    speed=st.decimals(min_value="0.1", max_value="100", places=1),
    seconds=st.integers(1, 20),
)
def test_frame_instants_are_exact(fps: int, speed: object, seconds: int) -> None:
    """The frame that falls on a whole second shows that second, never the one before."""
    log = walk([(0.0, 0.0)] * (seconds + 1))
    style = replace(PLAIN, fps=fps, speed=float(str(speed)))
    at_us = frame_instants_us(log, style) - micros(START)
    assert at_us[0] == 0
    tenths = round(style.speed * 10)
    assert [int(a) for a in at_us] == [frame * tenths * 100_000 // fps for frame in range(len(at_us))]
    assert len(at_us) == max(1, seconds * 10 * fps // tenths)


def test_a_log_of_one_instant_is_one_frame() -> None:
    """Not none."""
    assert len(list(frames(walk([(0.0, 0.0)]), PLAIN))) == 1


def clocks(log: Trajectory, style: Style) -> list[Picture]:
    """The clock's corner (bottom right) of every frame."""
    return [picture[-40:, -140:].copy() for picture in frames(log, style)]


def written(text: str, style: Style) -> Picture:
    """The clock's corner of a frame that shows a text."""
    hours, minutes, seconds = map(int, text.split(":"))
    at_us = np.array([micros(START.replace(hour=hours, minute=minutes, second=seconds))], dtype=np.int64)
    corners = {
        f"obj{n}": Track(at_us.copy(), np.array([(x, 0.0, x / 2)])) for n, x in enumerate((-1000.0, 1000.0))
    }
    return clocks(Trajectory(tracks=corners), style)[0]


def test_the_clock_shows_the_whole_second_of_each_frame() -> None:
    """Ten frames a second, across midnight: each text stands for exactly ten frames."""
    style = Style(fps=10, numbers=False)
    seen = clocks(walk([(0.0, 0.0)] * 14), style)
    assert len(seen) == 130
    for frame, picture in enumerate(seen):
        text = f"{START + dt.timedelta(seconds=frame // 10):%H:%M:%S}"
        assert np.array_equal(picture, written(text, style)), text


def test_the_clock_shows_the_logs_own_zone() -> None:
    """Nine hours on."""
    seoul = dt.timezone(dt.timedelta(hours=9))
    assert np.array_equal(clocks(walk([(0.0, 0.0)], tz=seoul), Style())[0], written("08:59:50", Style()))


def test_a_stale_first_frame_shows_the_end() -> None:
    """Clock and discs, in one frame only."""
    log = walk([(-300.0, 0.0), (0.0, 0.0), (300.0, 0.0)])
    stale = list(frames(log, Style(stale_first=True, fps=10)))
    fresh = list(frames(log, Style(fps=10)))
    assert len(stale) == len(fresh)
    assert np.array_equal(stale[0][-40:, -140:], written("23:59:52", Style()))
    assert not np.array_equal(stale[0], fresh[0])
    assert all(np.array_equal(a, b) for a, b in zip(stale[1:], fresh[1:], strict=True))


@pytest.mark.parametrize("corner", list(Corner))
def test_the_clock_stands_in_its_corner_alone(corner: Corner) -> None:
    """Only that corner differs from a view without."""
    log = walk([(0.0, 0.0)])
    style = Style(clock=Clock(corner=corner, box=(0, 0, 255), border=None))
    picture = first(log, style)
    blue = (picture == (255, 0, 0)).all(axis=2)
    rows, columns = np.nonzero(blue)
    assert (rows.min() == 0, rows.max() == 279) == (corner.is_top, not corner.is_top)
    assert (columns.min() == 0, columns.max() == 531) == (corner.is_left, not corner.is_left)


def test_numbers_and_clock_can_be_switched_off() -> None:
    """Then nothing is drawn but discs."""
    log = walk([(0.0, 0.0)])
    values = set(np.unique(first(log, replace(PLAIN, discs=((229, 229, 229),)))))
    assert values == {229}


@pytest.mark.parametrize("font", [PILLOW, OPENCV])
@pytest.mark.parametrize("number", [1, 8, 10, 88, 99])
@pytest.mark.parametrize("radius_px", [7.5, 12.0, 40.0])
def test_numbers_stay_inside_their_discs(font: str, number: int, radius_px: float) -> None:
    """Even two digits: no ink of the number outside the disc, some inside."""
    place = np.array([[0.0, 100.0, 0.0]])
    at_us = np.array([0], dtype=np.int64)
    log = Trajectory(tracks={f"obj{number:03d}": Track(at_us, place)})
    size = round(2.5 * radius_px) // 2 * 2
    style = Style(
        width=size,
        height=size,
        font=font,
        clock=None,
        discs=((229, 229, 229),),
        number_colour=BLACK,
        radius_cm=50,
    )
    weight = ink(first(log, style))
    rows, columns = np.mgrid[:size, :size]
    outside = (
        np.hypot(columns - (size - 1) / 2, rows - (size - 1) / 2) > 50 * fit_camera(log, style).px_per_cm
    )
    assert weight.max() > 0.5
    assert weight[outside].max() < 0.05


def test_numbers_glide_with_their_discs() -> None:
    """A stamp moves by the quarter of a pixel that its place moves by."""
    rows, columns = np.mgrid[:60, :60]
    for shift in (0.0, 0.25, 0.5, 0.75):
        picture = np.full((60, 60, 3), 229, dtype=np.uint8)
        stamp_text(picture, "8", PILLOW, 20.0, (30 + shift, 30.0), BLACK)
        weight = ink(picture)
        base = np.full((60, 60, 3), 229, dtype=np.uint8)
        stamp_text(base, "8", PILLOW, 20.0, (30.0, 30.0), BLACK)
        moved = (columns * weight).sum() / weight.sum() - (columns * ink(base)).sum() / ink(base).sum()
        assert moved == pytest.approx(shift, abs=0.02)
        assert (rows * weight).sum() / weight.sum() == pytest.approx(30.0, abs=0.6)


@pytest.mark.parametrize("middle", [(-3.0, 5.0), (62.0, 5.0), (30.0, -4.0), (30.0, 500.0)])
def test_text_beyond_the_edge_is_cut(middle: tuple[float, float]) -> None:
    """Not an error."""
    picture = np.full((60, 60, 3), 229, dtype=np.uint8)
    stamp_text(picture, "88", PILLOW, 20.0, middle, BLACK)
    assert picture.shape == (60, 60, 3)


def test_a_truetype_file_can_be_the_font(tmp_path: Path) -> None:
    """Any path; Pillow's own font, saved, looks as Pillow's own font does."""
    from PIL import ImageFont

    face = ImageFont.load_default(20)
    assert isinstance(face, ImageFont.FreeTypeFont)
    (tmp_path / "own.ttf").write_bytes(face.font_bytes)
    log = walk([(0.0, 0.0)])
    own = first(log, Style(font=str(tmp_path / "own.ttf"), clock=None))
    assert np.array_equal(own, first(log, Style(clock=None)))
    assert not np.array_equal(own, first(log, Style(font=OPENCV, clock=None)))


def test_colours_are_dealt_out_and_outlines_stay_inside_the_radius() -> None:
    """Red, then blue; the outline takes from the disc, not from the ground."""
    log = walk([(-300.0, 0.0)], [(300.0, 0.0)])
    style = replace(PLAIN, discs=((255, 0, 0), (0, 0, 255)), outline=(0, 0, 0))
    picture = first(log, style)
    camera = fit_camera(log, style)
    for objid, bgr in (("obj001", (0, 0, 255)), ("obj002", (255, 0, 0))):
        column, row = np.round(camera.seen(log.tracks[objid].places)[0]).astype(int)
        assert tuple(picture[row, column]) == bgr
        rim = picture[row, column + round(50 * camera.px_per_cm - 1)]
        assert rim.max() < 120
        assert picture[row, column + round(50 * camera.px_per_cm + 2)].min() > 220


def test_numbers_stand_out_from_their_discs() -> None:
    """White on dark, black on light, by how bright the eye finds a colour."""
    assert [contrast(c) for c in (BLACK, (0, 0, 255), (255, 225, 25), WHITE)] == [WHITE, WHITE, BLACK, BLACK]


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 531}, {"height": 0}, {"speed": 0.05}, {"speed": 101.0}, {"fps": 0}, {"radius_cm": 0.0}, {"discs": ()},
    ],
)  # fmt: skip
def test_a_style_that_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    """When it is made, not when it is drawn."""
    with pytest.raises(ValueError, match=r"frame is|speed is|fps must"):
        replace(Style(), **wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_jpeg_wears_the_picture_down() -> None:
    """A little, and less at high quality."""
    log = walk([(0.0, 0.0)])
    clean = first(log, Style()).astype(int)
    loss = [np.abs(first(log, Style(jpeg_quality=q)).astype(int) - clean).mean() for q in (95, 30)]
    assert 0 < loss[0] < loss[1] < 10


def decoded(path: Path) -> list[Picture]:
    """All frames of a video."""
    with av.open(path) as container:
        return [frame.to_ndarray(format="bgr24").astype(np.uint8) for frame in container.decode(video=0)]


def test_the_video_shows_the_frames(tmp_path: Path) -> None:
    """As many, at the stated rate, nearly as they were drawn; nothing is left beside it."""
    log, style = walk([(-300.0, 0.0), (0.0, 50.0), (300.0, 0.0)]), Style(fps=15, crf=18)
    render(log, style, tmp_path / "replay.mp4")
    seen, drawn = decoded(tmp_path / "replay.mp4"), list(frames(log, style))
    assert len(seen) == len(drawn) == 30
    assert max(np.abs(a.astype(int) - b.astype(int)).mean() for a, b in zip(seen, drawn, strict=True)) < 3
    info = probe(tmp_path / "replay.mp4")
    assert (info.width, info.height, info.fps, info.codec) == (532, 280, 15.0, "h264")
    assert info.duration_s == pytest.approx(2.0)
    assert [p.name for p in tmp_path.iterdir()] == ["replay.mp4"]


def test_an_interrupted_drawing_leaves_nothing(tmp_path: Path) -> None:
    """No half video under the final name, and no leftovers."""
    with pytest.raises(OSError, match="cannot open resource"):
        render(walk([(0.0, 0.0)]), Style(font=str(tmp_path / "none.ttf")), tmp_path / "replay.mp4")
    assert list(tmp_path.iterdir()) == []


def disc_masks(picture: Picture, colours: tuple[tuple[int, int, int], ...]) -> list[npt.NDArray[np.bool_]]:
    """Which pixels are nearest to each colour, and near it at all."""
    apart = [np.abs(picture[:, :, ::-1].astype(int) - colour).sum(axis=2) for colour in colours]
    return [(a < 150) & (a == np.min(apart, axis=0)) for a in apart]


def middles(
    picture: Picture, colours: tuple[tuple[int, int, int], ...], radius_px: float
) -> list[tuple[float, float]]:
    """Where the discs are, by the circle around what is seen of each (also where another covers a part of it)."""
    found = []
    for mask in disc_masks(picture, colours):
        edges, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        edge = max(edges, key=len)[:, 0, :].astype(np.float64)
        centre = edge.mean(axis=0)
        for _ in range(30):  # the rim that is not covered lies a radius away from the centre
            away = edge - centre
            length = np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6)
            outer = length[:, 0] > radius_px - 1.5
            pull = (away * (1 - (radius_px - 0.5) / length))[outer] if outer.any() else away
            centre = centre + pull.mean(axis=0)
        found.append((float(centre[0]), float(centre[1])))
    return found


def test_the_pixels_hold_the_logs_contacts(tmp_path: Path) -> None:
    """Discs found by their colour in the decoded video come as close, when and with whom the log says."""
    colours = ((220, 20, 20), (20, 20, 220), (20, 160, 20))
    plan = replace(SAMPLE, objects=3, duration_s=16.0, contacts=2, near_misses=1, again_s=5.0)
    log = generate(plan, 11)
    style = Style(width=640, height=360, fps=5, numbers=False, clock=None, discs=colours, crf=16)
    render(log, style, tmp_path / "replay.mp4")
    camera = fit_camera(log, style)
    at_us = frame_instants_us(log, style)
    seen: set[tuple[str, str, int]] = set()
    for when_us, picture in zip(at_us, decoded(tmp_path / "replay.mp4"), strict=True):
        places = middles(picture, colours, 50 * camera.px_per_cm)
        for one, other in itertools.combinations(range(3), 2):
            apart_cm = float(np.hypot(*np.subtract(places[one], places[other]))) / camera.px_per_cm
            if apart_cm < 95:
                seen.add((str(one + 1), str(other + 1), int(when_us)))
    truth = contacts(log)
    assert len(truth) == 2
    for contact in truth:
        inside = [w for a, b, w in seen if (a, b) == contact.objects]
        assert any(micros(contact.start_at) <= w <= micros(contact.end_at) for w in inside)
    slack_us = 300_000
    for a, b, when_us in seen:
        assert any(
            (a, b) == c.objects and micros(c.start_at) - slack_us <= when_us <= micros(c.end_at) + slack_us
            for c in truth
        )


def test_drawing_is_at_least_ten_times_real_time(tmp_path: Path) -> None:
    """In processor time, for the view of the sample; a tenth of a minute is enough to tell."""
    log = generate(replace(SAMPLE, duration_s=20.0, contacts=1, near_misses=1), 1)
    began = time.process_time()
    render(log, Style(), tmp_path / "replay.mp4")
    assert time.process_time() - began < 20.0 / 5  # two processors' worth, with room for a busy machine


def test_the_sample_is_drawn_once(tmp_path: Path) -> None:
    """A minute with five to nine contacts; the second time the files are only named."""
    video, log = ensure_sample(tmp_path / "sample")
    info, trajectory = probe(video), read_trajectory(log)
    assert (info.width, info.height, info.fps) == (532, 280, 30.0)
    assert info.duration_s == pytest.approx(60.0)
    assert 4 <= len(trajectory.objids) <= 6
    assert 5 <= len(contacts(trajectory)) <= 9
    assert trajectory.warnings == ()
    before = [(p.name, p.stat().st_mtime_ns) for p in sorted((tmp_path / "sample").iterdir())]
    assert ensure_sample(tmp_path / "sample") == (video, log)
    assert [(p.name, p.stat().st_mtime_ns) for p in sorted((tmp_path / "sample").iterdir())] == before
    assert len(before) == 2


def test_the_samples_discs_can_be_told_apart_by_eye() -> None:
    """Discs of at least eight pixels' radius, all of them visible when far apart."""
    log = generate(SAMPLE, 7)
    camera = fit_camera(log, Style())
    assert 50 * camera.px_per_cm >= 8
    circles = cv2.HoughCircles(
        255 - first(log, PLAIN)[:, :, 0],
        cv2.HOUGH_GRADIENT,
        1,
        12,
        param1=100,
        param2=8,
        minRadius=6,
        maxRadius=12,
    )
    assert circles is not None
