"""How much of the place is drawn: grid and walls, floor plans, trails, arrows, and who is not drawn at all."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from extension.errors import BadInput
from extension.sources.replay.camera import Camera, camera_on, chosen_camera, extent_camera
from extension.sources.replay.paint import Tally
from extension.sources.replay.render import frames
from extension.sources.replay.style import (
    PALETTE,
    Clock,
    Colour,
    Extent,
    FloorPlan,
    Level,
    Style,
    contrast,
    look,
    mixed,
)
from extension.timetravel.trajectory import Track, Trajectory, micros

Picture = npt.NDArray[np.uint8]

START = dt.datetime(2025, 1, 1, 10, 20, 30, tzinfo=dt.UTC)
ROOM = Extent(0, 0, 1900, 1000)
WALKS = {"obj001": ((300.0, 200.0), (100.0, 0.0)), "obj002": ((1500.0, 800.0), (0.0, -100.0))}


def walking(seconds: int = 6, **walks: tuple[tuple[float, float], tuple[float, float]]) -> Trajectory:
    """Objects that start somewhere and go on at so many centimetres a second, at five samples a second."""
    at_s = np.arange(seconds * 5 + 1) / 5
    tracks = {}
    for objid, ((x, z), (vx, vz)) in (walks or WALKS).items():
        places = np.stack((x + vx * at_s, np.full(len(at_s), 100.0), z + vz * at_s), axis=1)
        tracks[objid] = Track((micros(START) + at_s * 1e6).astype(np.int64), places)
    return Trajectory(tracks=tracks)


def bare(level: Level, *, dark: bool = False) -> Style:
    """A level's look without numbers and clock, ten frames a second, on a room."""
    return replace(look(level, dark=dark), numbers=False, clock=None, fps=10, extent=ROOM)


def last(log: Trajectory, style: Style) -> Picture:
    """The last frame."""
    return list(frames(log, style))[-1]


def pixel(picture: Picture, camera: Camera, x: float, z: float) -> Colour:
    """Colour at a place on the ground, red first."""
    column, row = camera.pixels(np.array([x, z])).round().astype(int)
    blue, green, red = picture[row, column].tolist()
    return red, green, blue


def near(one: Colour, other: Colour, by: int = 3) -> bool:
    """Whether two colours look alike."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) <= by


def drawn(picture: Picture, colour: Colour) -> int:
    """How many pixels have nearly a colour."""
    return int((np.abs(picture[:, :, ::-1].astype(int) - colour).max(axis=2) <= 6).sum())


def test_the_abstract_look_is_the_plain_style() -> None:
    """What was always drawn stays so."""
    assert look(Level.ABSTRACT) == Style()


def test_nothing_but_discs_is_on_abstract_ground() -> None:
    """No grid, no trail, no arrow."""
    log, style = walking(), bare(Level.ABSTRACT)
    picture, camera = last(log, style), chosen_camera(log, style)
    middles = [
        camera.seen(track.places_at(np.array([micros(START) + 5_900_000]))[0])
        for track in log.tracks.values()
    ]
    rows, columns = np.nonzero((picture != 229).any(axis=2))
    away = np.min([np.hypot(columns - m[0], rows - m[1]) for m in middles], axis=0)
    assert away.max() <= 50 * camera.px_per_cm + 1.5


@pytest.mark.parametrize("dark", [False, True])
def test_simplified_ground_has_walls_and_a_grid(dark: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Walls around the room, light lines inside, a shade off beyond."""
    log, style = walking(), bare(Level.SIMPLIFIED, dark=dark)
    picture, camera = last(log, style), chosen_camera(log, style)
    ground = style.background
    assert pixel(picture, camera, 950, 470) == ground
    wall = pixel(picture, camera, 0, 500)
    assert abs(sum(wall) - sum(ground)) > 150
    line = pixel(picture, camera, 1000, 450)
    assert line != ground
    assert near(line, ground, by=20)
    wide = replace(style, extent=None)
    beyond = np.asarray(last(log, wide)[2, 2])
    assert not np.array_equal(beyond, ground[::-1])
    assert np.abs(beyond.astype(int) - ground[::-1]).max() < 20


def test_grid_lines_lie_on_whole_metres() -> None:
    """On multiples of the cell in the world, whatever the camera sees: the ground does not slide under a moving camera."""
    log, style = walking(), bare(Level.SIMPLIFIED)
    for camera in (
        extent_camera(ROOM, style),
        camera_on((900, 450), 700, style),
        camera_on((930, 480), 400, style),
    ):
        ((picture,)) = list(
            frames(log, style, cameras=[camera], instants=np.array([micros(START)], dtype=np.int64))
        )
        assert pixel(picture, camera, 1000, 440) != style.background
        assert pixel(picture, camera, 960, 460) == style.background


def test_a_world_seen_from_far_away_is_not_all_lines() -> None:
    """Cells grow with the ground shown, however much that is."""
    log = walking(obj001=((0, 0), (0, 0)))
    for across in (1e4, 1e6, 1e8):
        style = replace(bare(Level.SIMPLIFIED), extent=Extent(0, 0, across, across / 2))
        picture = last(log, style)
        assert drawn(picture, style.background) > 0.7 * style.width * style.height


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A floor plan of four colours: red, green, blue and white quarters."""
    picture = np.full((200, 380, 3), 255, dtype=np.uint8)
    picture[:100, :190] = (0, 0, 255)
    picture[:100, 190:] = (0, 255, 0)
    picture[100:, :190] = (255, 0, 0)
    cv2.imwrite(str(tmp_path / "plan.png"), picture)
    return tmp_path / "plan.png"


QUARTERS = (
    (480.0, 250.0, (255, 0, 0)),
    (1430.0, 250.0, (0, 255, 0)),
    (480.0, 750.0, (0, 0, 255)),
    (1430.0, 950.0, (255, 255, 255)),
)


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_a_floor_plan_is_stretched_to_its_extent(plan: Path, strength: float) -> None:
    """Each quarter of the ground has its colour, toned towards the ground's."""
    log = walking(obj001=((10.0, 10.0), (0, 0)))
    style = replace(bare(Level.FULL), floor=FloorPlan(plan, ROOM, strength), trail_s=0.0)
    picture, camera = last(log, style), chosen_camera(log, style)
    for x, z, colour in QUARTERS:
        assert near(pixel(picture, camera, x, z), mixed(style.background, colour, strength))
    edge = [pixel(picture, camera, x, 250.0) for x in (940.0, 960.0)]
    assert [
        near(e, mixed(style.background, c, strength), by=40)
        for e, c in zip(edge, ((255, 0, 0), (0, 255, 0)), strict=True)
    ] == [True, True]


def test_a_floor_plan_may_cover_less_or_more_than_the_picture(plan: Path) -> None:
    """What lies beyond it is plain ground; what of it lies beyond the picture is cut."""
    log = walking(obj001=((10.0, 10.0), (0, 0)))
    small = replace(bare(Level.FULL), floor=FloorPlan(plan, Extent(500, 500, 690, 600), 1.0))
    picture, camera = last(log, small), chosen_camera(log, small)
    assert near(pixel(picture, camera, 540, 520), (255, 0, 0))
    assert pixel(picture, camera, 1200, 300) == small.background
    large = replace(small, floor=FloorPlan(plan, Extent(-5700, -3000, 1900, 1000), 1.0))
    assert near(pixel(last(log, large), camera, 1000, 500), (255, 255, 255))


def test_a_floor_plan_without_an_extent_covers_the_ground_in_use(plan: Path) -> None:
    """The picture's own extent, or where objects go."""
    log = walking(obj001=((0, 0), (300, 150)))
    style = replace(bare(Level.FULL), floor=FloorPlan(plan, None, 1.0), extent=None, trail_s=0.0)
    picture, camera = last(log, style), chosen_camera(log, style)
    assert near(pixel(picture, camera, 300, 150), (255, 0, 0))
    assert near(pixel(picture, camera, 1500, 300), (0, 255, 0))
    assert near(pixel(picture, camera, 1500, 500), (255, 255, 255))


def test_a_floor_plan_moves_with_the_camera(plan: Path) -> None:
    """Near or far, the same place has the same colour; made smaller it does not flicker into its neighbours."""
    log = walking(obj001=((10.0, 10.0), (0, 0)))
    style = replace(bare(Level.FULL), floor=FloorPlan(plan, ROOM, 1.0), extent=None)
    cameras = [camera_on((950, 500), across, style) for across in (400.0, 1000.0, 9000.0, 60_000.0)]
    at_us = np.full(len(cameras), micros(START), dtype=np.int64)
    for camera, picture in zip(cameras, frames(log, style, cameras=cameras, instants=at_us), strict=True):
        reach = 12.0 if camera.px_per_cm > 0.1 else 400.0
        for dx, dz, colour in (
            (-1, -1, (255, 0, 0)),
            (1, -1, (0, 255, 0)),
            (-1, 1, (0, 0, 255)),
            (1, 1, (255, 255, 255)),
        ):
            assert near(pixel(picture, camera, 950 + dx * reach, 500 + dz * reach), colour, by=70)


def test_floor_plans_belong_to_the_full_level(plan: Path) -> None:
    """At the others they are not even read."""
    log, missing = walking(), FloorPlan(Path("no such plan.png"), ROOM)
    for level in (Level.SIMPLIFIED, Level.ABSTRACT):
        assert np.array_equal(last(log, replace(bare(level), floor=missing)), last(log, bare(level)))
    with pytest.raises(BadInput, match=r"no such plan.png: the floor plan cannot be read \(No such file"):
        last(log, replace(bare(Level.FULL), floor=missing))
    plan.write_bytes(b"GIF89a")
    with pytest.raises(BadInput, match="not a picture"):
        last(log, replace(bare(Level.FULL), floor=FloorPlan(plan)))
    plan.write_bytes(b"")
    with pytest.raises(BadInput, match="not a picture"):
        last(log, replace(bare(Level.FULL), floor=FloorPlan(plan)))


def test_trails_lie_where_the_object_was() -> None:
    """Ink on the path behind it as far as the trail reaches, none before that and none ahead."""
    log = walking()
    style = replace(bare(Level.FULL), trail_s=2.0, headings=False, extent=ROOM)
    plain = replace(style, trail_s=0.0)
    picture, without, camera = last(log, style), last(log, plain), chosen_camera(log, style)
    here_x = 300 + 100 * 5.9
    for behind, inked in ((20, False), (80, True), (150, True), (190, True), (230, False), (-90, False)):
        differs = pixel(picture, camera, here_x - behind, 200) != pixel(without, camera, here_x - behind, 200)
        assert differs == inked, behind


def test_trails_fade_with_age_in_the_objects_colour() -> None:
    """Nearer to the ground's colour the older."""
    log = walking()
    style = replace(bare(Level.FULL), trail_s=4.0, headings=False)
    picture, camera = last(log, style), chosen_camera(log, style)
    here_x = 300 + 100 * 5.9
    seen = [pixel(picture, camera, here_x - behind, 200) for behind in (80, 150, 250, 350)]
    away = [sum(abs(a - b) for a, b in zip(colour, style.background, strict=True)) for colour in seen]
    assert away == sorted(away, reverse=True)
    assert away[0] > away[-1] > 30
    assert near(seen[0], mixed(PALETTE[0], style.background, 0.3), by=12)


def test_a_disc_stands_clear_of_trails() -> None:
    """Around it is a ring of ground, so that its shape stays a disc."""
    log = walking()
    style = replace(bare(Level.FULL), headings=False)
    picture, camera = last(log, style), chosen_camera(log, style)
    here_x = 300 + 100 * 5.9
    assert near(pixel(picture, camera, here_x - 58, 200), style.background, by=8)
    assert not near(pixel(picture, camera, here_x - 80, 200), style.background, by=30)


def test_rings_hide_nobody() -> None:
    """Two objects in contact touch, trails or not."""
    log = walking(obj001=((600, 500), (10, 0)), obj002=((690, 500), (10, 0)))
    style = replace(bare(Level.FULL), headings=False)
    picture, camera = last(log, style), chosen_camera(log, style)
    between_x = 645 + 10 * 5.9
    assert not near(pixel(picture, camera, between_x, 500), style.background, by=40)


@pytest.mark.parametrize("level", [Level.FULL, Level.SIMPLIFIED])
@pytest.mark.parametrize(("vx", "vz"), [(100.0, 0.0), (-100.0, 0.0), (0.0, 60.0), (-70.0, -70.0)])
def test_arrows_point_ahead(level: Level, vx: float, vz: float) -> None:
    """Ink of the object's colour just ahead of the disc, none beside and none behind it."""
    log = walking(obj001=((950.0, 500.0), (vx, vz)))
    style = replace(bare(level), trail_s=0.0)
    picture, camera = last(log, style), chosen_camera(log, style)
    x, _, z = log.tracks["obj001"].places_at(np.array([micros(START) + 5_900_000]))[0]
    speed = float(np.hypot(vx, vz))
    ahead, beside = (vx / speed, vz / speed), (-vz / speed, vx / speed)
    assert near(pixel(picture, camera, x + 68 * ahead[0], z + 68 * ahead[1]), PALETTE[0], by=40)
    for way in ((-ahead[0], -ahead[1]), beside, (-beside[0], -beside[1])):
        assert not near(pixel(picture, camera, x + 68 * way[0], z + 68 * way[1]), PALETTE[0], by=60)


def test_arrows_can_be_switched_and_stand_still_has_none() -> None:
    """On abstract ground on, on others off; never for somebody who stands."""
    going, standing = walking(obj001=((950, 500), (100, 0))), walking(obj001=((950, 500), (0, 0)))
    for level in Level:
        on, off = (replace(bare(level), headings=wanted, trail_s=0.0) for wanted in (True, False))
        assert not np.array_equal(last(going, on), last(going, off))
        assert np.array_equal(last(standing, on), last(standing, off))


def absent_for_a_while() -> Trajectory:
    """Object 1 is away from second 2 to 5, object 2 leaves at second 4; both stand still."""
    at_s = np.arange(41) / 5
    here = (at_s <= 2) | (at_s >= 5)
    until = at_s <= 4
    return Trajectory(
        tracks={
            "obj001": Track(
                (micros(START) + at_s[here] * 1e6).astype(np.int64),
                np.tile([400.0, 90.0, 500.0], (int(here.sum()), 1)),
            ),
            "obj002": Track(
                (micros(START) + at_s[until] * 1e6).astype(np.int64),
                np.tile([1500.0, 90.0, 500.0], (int(until.sum()), 1)),
            ),
        }
    )


@pytest.mark.parametrize("level", list(Level))
def test_who_is_not_in_the_log_is_not_in_the_picture(level: Level) -> None:
    """In a gap and after the end of a track, but for one step; and it is counted."""
    log, style, tally = absent_for_a_while(), bare(level), Tally()
    camera, ground = chosen_camera(log, style), style.background
    seen = []
    for picture in frames(log, style, tally=tally):
        one, other = (not near(pixel(picture, camera, x, 478), ground, by=25) for x in (420, 1520))
        seen.append((one, other))
    assert len(seen) == tally.frames == 80
    assert [number for number, (one, _) in enumerate(seen) if not one] == list(range(23, 50))
    assert [number for number, (_, other) in enumerate(seen) if not other] == list(range(43, 80))
    assert tally.absent == 27 + 37
    assert tally.unseen == 0


def test_who_is_outside_the_picture_is_counted_and_not_missed() -> None:
    """A fixed extent shows what is in it; the other is counted once a frame."""
    log, tally = walking(), Tally()
    style = replace(bare(Level.FULL), extent=Extent(0, 0, 1000, 400))
    pictures = list(frames(log, style, tally=tally))
    assert len(pictures) == tally.frames == 60
    assert tally.unseen == 60
    assert tally.absent == 0
    assert drawn(pictures[-1], PALETTE[0]) > 100
    assert drawn(pictures[-1], PALETTE[1]) == 0


def test_half_a_disc_is_seen() -> None:
    """At the edge of the picture it is cut, not dropped."""
    log, tally = walking(obj001=((0.0, 250.0), (0, 0))), Tally()
    style = replace(bare(Level.ABSTRACT), extent=Extent(0, 0, 950, 500), discs=((200, 30, 30),))
    picture = list(frames(log, style, tally=tally))[-1]
    whole = np.pi * (50 * chosen_camera(log, style).px_per_cm) ** 2
    assert drawn(picture, (200, 30, 30)) == pytest.approx(whole / 2, rel=0.12)
    assert tally.unseen == 0


def test_labels_can_be_named() -> None:
    """What the log calls an object is what is drawn on it."""
    plain = walking(obj001=((950.0, 500.0), (0, 0)))
    style = replace(look(Level.ABSTRACT), clock=None, extent=ROOM)
    named = replace(plain, named={"obj001": "F7"})
    assert not np.array_equal(last(plain, style), last(named, style))


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_of_the_palette_can_be_told_from_the_ground_and_carries_white_numbers(
    dark: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Far from the ground's colour, dark enough for white."""
    ground = look(Level.FULL, dark=dark).background
    for colour in PALETTE:
        assert contrast(colour) == (255, 255, 255)
        assert float(np.linalg.norm(np.subtract(colour, ground))) > 90
    assert len(set(PALETTE)) == len(PALETTE) == 12


def clock_corner(log: Trajectory, style: Style) -> list[Picture]:
    """The bottom right of every frame."""
    return [picture[-40:, -420:].copy() for picture in frames(log, style)]


def test_the_clock_can_show_the_date_and_milliseconds() -> None:
    """Each makes the box wider; milliseconds change with every frame, the date does not."""
    log = walking(seconds=2, obj001=((0, 0), (0, 0)), obj002=((900, 0), (0, 0)))
    widths = []
    for clock in (Clock(), Clock(millis=True), Clock(date=True), Clock(date=True, millis=True)):
        corners = clock_corner(log, Style(fps=10, clock=clock))
        changes = sum(not np.array_equal(a, b) for a, b in itertools.pairwise(corners))
        assert changes == (19 if clock.millis else 1)
        widths.append(int((corners[0] == (26, 26, 26)).all(axis=2).any(axis=0).sum()))
    assert widths == sorted(widths)
    assert len(set(widths)) == 4


def test_milliseconds_are_cut_like_seconds() -> None:
    """Thirty frames a second: 33, 66, 100; a text is the same whenever its instant is."""
    log = walking(seconds=2)
    style = Style(fps=30, clock=Clock(millis=True), numbers=False)
    corners = clock_corner(log, style)
    later = replace(style, fps=10)
    assert np.array_equal(corners[3], clock_corner(log, later)[1])
    assert np.array_equal(corners[30], clock_corner(log, later)[10])
    assert not np.array_equal(corners[1], corners[2])


def test_changing_digits_do_not_move_the_others() -> None:
    """With milliseconds every character has its place: only the digits that change are drawn anew."""
    log = walking(seconds=2)
    corners = clock_corner(log, Style(fps=10, clock=Clock(millis=True), numbers=False))
    changed = (corners[0] != corners[1]).any(axis=(0, 2))
    assert 0 < int(changed.sum()) < 25
