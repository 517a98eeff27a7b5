"""The heat map as a picture: readable, true to the ground, and drawn without the plotting library's global state."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import numpy.typing as npt
import pytest

from extension.charts.heat_map import draw_heat_map
from extension.charts.lettering import drawable, font
from extension.model import Position, Severity
from extension.timetravel.summary import Summary
from extension.timetravel.summary_places import Presence, presence
from extension.timetravel.trajectory import Track, Trajectory
from tests.timetravel.summary_samples import anchored, contacts_of, incident, log, summary_of

TRAJECTORY = log()
Picture = npt.NDArray[np.uint8]


def drawn(path: Path, summary: Summary, found: Presence | None = None) -> Picture:
    """The heat map as pixels, shape (height, width, 3)."""
    draw_heat_map(summary, found or presence(TRAJECTORY), path)
    picture = matplotlib.image.imread(path)
    return np.round(picture[..., :3] * 255).astype(np.uint8)


def pixels_like(picture: Picture, red: int, green: int, blue: int) -> int:
    """How many pixels have about that colour."""
    return int((np.abs(picture.astype(int) - (red, green, blue)).max(axis=2) <= 8).sum())


DANGER, WARN, SPOT = (221, 91, 26), (214, 158, 46), (107, 33, 168)


def test_moments_are_marked_in_the_colour_of_their_severity(tmp_path: Path) -> None:
    """A dot each on the map, besides the one in the legend; none where nothing happened."""
    one = drawn(tmp_path / "1.png", summary_of([anchored(0, 9.5, 10.5)], trajectory=TRAJECTORY))
    two = drawn(tmp_path / "2.png", summary_of(contacts_of(TRAJECTORY), trajectory=TRAJECTORY))
    none = drawn(tmp_path / "0.png", summary_of([], trajectory=TRAJECTORY))
    assert pixels_like(two, *DANGER) > pixels_like(one, *DANGER) > 40
    assert pixels_like(none, *DANGER) == 0
    warn = [anchored(0, 9.5, 10.5, severity=Severity.WARN)]
    assert pixels_like(drawn(tmp_path / "w.png", summary_of(warn, trajectory=TRAJECTORY)), *WARN) > 40


def test_hot_spots_are_circled(tmp_path: Path) -> None:
    """Where moments repeat; one moment is no hot spot."""
    found = [anchored(n, 9.5 + n / 10, 10.5) for n in range(3)]
    assert pixels_like(drawn(tmp_path / "s.png", summary_of(found, trajectory=TRAJECTORY)), *SPOT) > 100
    one = summary_of(found[:1], trajectory=TRAJECTORY)
    assert pixels_like(drawn(tmp_path / "n.png", one), *SPOT) == 0


def test_where_objects_were_is_darker_than_where_they_were_not(tmp_path: Path) -> None:
    """Blue on nearly white."""
    track = TRAJECTORY.tracks["obj001"]
    walked = np.linspace(0, 2000, len(track.at_us))
    places = np.stack((walked, walked * 0, walked), axis=1)
    way = presence(Trajectory(tracks={"a": Track(at_us=track.at_us.copy(), places=places)}))
    picture = drawn(tmp_path / "b.png", summary_of([]), way)
    height, width = picture.shape[:2]
    ground = picture[height // 8 : 3 * height // 4, width // 8 : 3 * width // 4].astype(int)
    blueness = ground[..., 2] - ground[..., 0]
    assert blueness.max() > 60
    assert np.median(blueness) < 15


def test_z_runs_downwards_as_in_the_replay(tmp_path: Path) -> None:
    """An object at large z is drawn in the lower half."""
    found = presence(TRAJECTORY)
    only = np.zeros_like(found.object_s)
    only[-8:, : only.shape[1] // 2] = 5.0
    picture = drawn(
        tmp_path / "z.png",
        summary_of([], trajectory=TRAJECTORY),
        Presence(object_s=only, x_cm=found.x_cm, z_cm=found.z_cm),
    ).astype(int)
    body = picture[:, : int(picture.shape[1] * 0.75)]
    dark = (body[..., 2] - body[..., 0] > 60) & (body[..., 2] < 160)
    rows, columns = np.nonzero(dark)
    assert rows.mean() > body.shape[0] * 0.55
    assert columns.mean() < body.shape[1] * 0.6


@pytest.mark.parametrize(
    ("across", "down"), [(3000.0, 200.0), (200.0, 3000.0), (2000.0, 2000.0), (120.0, 90.0), (0.0, 0.0)]
)
def test_every_shape_of_ground_makes_a_readable_picture(tmp_path: Path, across: float, down: float) -> None:
    """A corridor, a shaft, a hall, a table, a point: neither a strip nor a poster."""
    track = TRAJECTORY.tracks["obj001"]
    walked = np.linspace(0, 1, len(track.at_us))
    places = np.stack((walked * across, walked * 0, walked * down), axis=1)
    found = presence(Trajectory(tracks={"a": Track(at_us=track.at_us.copy(), places=places)}))
    height, width = drawn(tmp_path / "p.png", summary_of([]), found).shape[:2]
    assert 400 <= width <= 1100
    assert 400 <= height <= 1100


def test_very_many_moments_can_be_drawn(tmp_path: Path) -> None:
    """Without numbers then."""
    many = [
        incident(n, n, n + 1, positions=(Position("1", float(n * 37 % 2500), 0.0, float(n % 900)),))
        for n in range(120)
    ]
    assert pixels_like(drawn(tmp_path / "m.png", summary_of(many)), *DANGER) > 1000


def test_the_same_summary_gives_the_same_picture(tmp_path: Path) -> None:
    """Byte by byte: nothing of the day or of an earlier picture is in it."""
    summary = summary_of(contacts_of(TRAJECTORY), trajectory=TRAJECTORY)
    draw_heat_map(summary, presence(TRAJECTORY), tmp_path / "1.png")
    draw_heat_map(summary, presence(TRAJECTORY), tmp_path / "2.png")
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Not a silence."""
    with pytest.raises(FileNotFoundError):
        draw_heat_map(summary_of([]), presence(TRAJECTORY), tmp_path / "nowhere" / "x.png")


def test_letters_that_no_font_has_become_question_marks() -> None:
    """Latin letters always can; line breaks are spaces; a font is found everywhere."""
    assert drawable("obj 1 + 4\n73 cm") == "obj 1 + 4 73 cm"
    assert drawable("\U0010fffd") == "?"
    assert font(9).get_size() == 9


def test_drawing_needs_no_display_and_no_global_state() -> None:
    """A service draws in threads: the library's interactive half is never loaded."""
    program = (
        "import sys, extension.charts.heat_map, extension.charts.timeline;"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
