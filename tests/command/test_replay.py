"""`timetravel replay`: what people write, what they read, and the video that comes of it."""

from __future__ import annotations

import datetime as dt
import io
import re
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import numpy as np
import pytest
import requests
from rich.console import Console
from typer.testing import CliRunner

from extension.cli import app
from extension.clock import SystemClock
from extension.command.replay import Drawing, draw, play_stream
from extension.command.replay_options import extent_of, instant_of, part_of, styled
from extension.errors import BadInput
from extension.sources.replay.style import Encoder, Extent, Level, Style
from extension.timetravel.trajectory import Track, Trajectory, micros
from extension.timetravel.trajectory_csv import write_trajectory

START = dt.datetime(2025, 3, 1, 23, 59, 50, tzinfo=dt.UTC)
SEOUL = dt.timezone(dt.timedelta(hours=9))
SMALL = Style(width=128, height=96, fps=5)


def log_of(seconds: int = 20, tz: dt.tzinfo = dt.UTC) -> Trajectory:
    """Two objects that pass one another, a sample every fifth of a second."""
    at_s = np.arange(seconds * 5 + 1) / 5
    tracks = {}
    for number, way in ((1, 1.0), (2, -1.0)):
        x = way * (at_s - seconds / 2) * 100
        places = np.stack((x, np.full(len(at_s), 90.0), np.full(len(at_s), 150.0 * number)), axis=1)
        tracks[f"obj{number:03d}"] = Track(micros(START) + (at_s * 1e6).astype(np.int64), places)
    return Trajectory(tracks=tracks, tz=tz)


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """The log as a file."""
    write_trajectory(log_of(), tmp_path / "walk.csv")
    return tmp_path / "walk.csv"


@pytest.fixture
def said() -> Console:
    """A terminal to read afterwards."""
    return Console(file=io.StringIO(), width=100)


def text_of(console: Console) -> str:
    """What was printed."""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def facts(path: Path) -> tuple[int, int, int, float, str]:
    """Width, height, frames, rate and codec of a video."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        count = sum(1 for _ in container.decode(video=0))
        return stream.width, stream.height, count, float(stream.average_rate or 0), stream.codec_context.name


def command(*words: str) -> Any:
    """Run `timetravel` in this process."""
    return CliRunner().invoke(app, list(words))


def test_a_log_becomes_a_video_and_a_line_says_how_fast(log_file: Path, tmp_path: Path) -> None:
    """Frames, seconds, times faster than real time, and where it is."""
    out = tmp_path / "out.mp4"
    result = command("replay", str(log_file), "--out", str(out), "--fps", "10", "--size", "128x96")
    assert result.exit_code == 0, result.output
    assert facts(out) == (128, 96, 200, 10.0, "h264")
    told = re.search(
        r"200 frames, 20\.0 s of video in ([\d.]+) s: ([\d.]+) times faster than real time", result.output
    )
    assert told
    took_s, times = float(told[1]), float(told[2])  # both are rounded to tenths
    assert 20.0 / (took_s + 0.051) - 0.06 <= times <= 20.0 / max(took_s - 0.051, 0.001) + 0.06
    assert "out.mp4" in result.output


def test_the_video_is_named_after_the_log(
    log_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the folder where one is, never beside the log."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert command("replay", str(log_file), "--fps", "1", "--size", "64x48").exit_code == 0
    assert [path.name for path in here.iterdir()] == ["walk.mp4"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here", "walk.csv"]


@pytest.mark.parametrize(
    "options",
    [
        ["--level", "full", "--trail", "2", "--dark"],
        ["--level", "simplified", "--extent", "-800,0,800,600"],
        ["--follow", "1,2", "--across", "500", "--level", "simplified"],
        ["--no-clock", "--no-numbers", "--crf", "40"],
        ["--clock-date", "--clock-millis", "--bitrate", "400"],
        ["--encoder", "mpeg4"],
    ],
)
def test_every_way_of_drawing_can_be_asked_for(log_file: Path, tmp_path: Path, options: list[str]) -> None:
    """And gives as many frames."""
    out = tmp_path / "out.mp4"
    result = command("replay", str(log_file), "--out", str(out), "--fps", "5", "--size", "128x96", *options)
    assert result.exit_code == 0, result.output
    assert facts(out)[2] == 100


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--from", "23:59:55"], 75),
        (["--to", "23:59:55"], 25),
        (["--from", "23:59:52", "--to", "2025-03-02 00:00:02.5"], 52),
        (["--from", "23:59:52", "--to", "23:59:58", "--speed", "3"], 10),
        (["--speed", "0.5"], 200),
        (["--speed", "100"], 1),
    ],
)
def test_a_part_of_the_log_at_a_speed(log_file: Path, tmp_path: Path, options: list[str], count: int) -> None:
    """The frames that fall into it."""
    out = tmp_path / "out.mp4"
    result = command("replay", str(log_file), "--out", str(out), "--fps", "5", "--size", "64x48", *options)
    assert result.exit_code == 0, result.output
    assert facts(out)[2] == count


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--extent", "1,2,3"], "the extent '1,2,3' is not X_MIN,Z_MIN,X_MAX,Z_MAX"),
        (["--extent", "10,0,0,10"], "each MIN below its MAX"),
        (["--size", "big"], "the size 'big' is not WIDTHxHEIGHT"),
        (["--size", "533x280"], "both must be even"),
        (["--follow", "7"], "the log has no object 7; it has 1, 2"),
        (["--from", "yesterday"], "'yesterday' is not a time HH:MM:SS"),
        (["--from", "25:00:00"], "'25:00:00' is not a time HH:MM:SS"),
        (["--from", "12:00:00", "--to", "12:00:10"], "nothing was recorded"),
        (["--level", "full", "--floor-plan", "nowhere.png"], "nowhere.png: the floor plan cannot be read"),
        (["--stream", "ftp://x"], "http://HOST:PORT or rtsp://HOST:PORT/NAME"),
    ],
)
def test_what_cannot_be_drawn_is_said_and_nothing_is_left(
    log_file: Path, tmp_path: Path, options: list[str], reason: str
) -> None:
    """One sentence, no video."""
    result = command("replay", str(log_file), "--out", str(tmp_path / "out.mp4"), *options)
    assert result.exit_code != 0
    assert isinstance(result.exception, BadInput)
    assert reason in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["walk.csv"]


def test_a_broken_log_names_its_line(tmp_path: Path) -> None:
    """From the command line: one sentence and exit code 1."""
    (tmp_path / "broken.csv").write_text("timestamp,objid,x,y,z\n2025-01-01 00:00:00.000,obj001,1,2,x\n")
    done = subprocess.run(
        [sys.executable, "-m", "extension", "replay", str(tmp_path / "broken.csv")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "broken.csv: line 2: z is 'x'" in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


def test_what_was_odd_about_the_log_is_said(tmp_path: Path) -> None:
    """Before it is drawn."""
    rows = [f"2025-01-01 00:00:0{s}.000,obj001,{s}00,90,0" for s in (1, 0, 2)]
    (tmp_path / "odd.csv").write_text("timestamp,objid,x,y,z\n" + "\n".join(rows) + "\n")
    out = tmp_path / "odd.mp4"
    result = command("replay", str(tmp_path / "odd.csv"), "--out", str(out), "--fps", "2", "--size", "64x48")
    assert result.exit_code == 0, result.output
    assert "odd.csv: " in result.output
    assert "order" in result.output


def test_what_was_drawn_is_told_to_callers(tmp_path: Path, said: Console) -> None:
    """The file, its frames, and the timeline that maps its seconds to the log."""
    drawing = Drawing(replace(SMALL, speed=2.0))
    drawn = draw(log_of(), drawing, tmp_path / "out.mp4", said, SystemClock())
    assert (drawn.path, drawn.frames, drawn.media_s, drawn.unseen) == (tmp_path / "out.mp4", 50, 10.0, 0)
    assert drawn.timeline.at(3.0) == START + dt.timedelta(seconds=6)
    assert drawn.timeline.media_s(START + dt.timedelta(seconds=20)) == 10.0
    assert drawn.took_s > 0
    assert drawn.times_real_time == pytest.approx(drawn.media_s / drawn.took_s)


def test_objects_outside_the_picture_are_said(tmp_path: Path, said: Console) -> None:
    """With how many times."""
    style = replace(SMALL, extent=Extent(0, 0, 400, 300))
    drawn = draw(log_of(), Drawing(style), tmp_path / "out.mp4", said, SystemClock())
    assert drawn.unseen > 50
    assert f"outside the picture {drawn.unseen} times" in text_of(said)


def test_an_interrupted_drawing_leaves_what_was_there(tmp_path: Path, said: Console) -> None:
    """The file from before, and nothing half made."""
    out = tmp_path / "out.mp4"
    out.write_bytes(b"from before")
    with pytest.raises(BadInput, match="no object"):
        draw(log_of(), Drawing(SMALL, follow=("3",)), out, said, SystemClock())
    with pytest.raises(BadInput, match="cannot be"):
        draw(
            log_of(),
            Drawing(replace(SMALL, encoder=Encoder.NVENC)),
            tmp_path / "no" / "out.mp4",
            said,
            SystemClock(),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert out.read_bytes() == b"from before"


def test_a_log_plays_as_a_stream_in_real_time(said: Console) -> None:
    """At an address that is said, until the log ends."""
    style = replace(SMALL, speed=10.0, fps=10)
    player = threading.Thread(
        target=play_stream, args=(log_of(), Drawing(style), "http://127.0.0.1:0", said, SystemClock())
    )
    began = time.monotonic()
    player.start()
    deadline = began + 15
    while not (told := re.search(r"http://127\.0\.0\.1:\d+/", text_of(said))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert "<img" in requests.get(told[0], timeout=10).text
    assert urlsplit(told[0]).port
    player.join(30)
    assert not player.is_alive()
    assert time.monotonic() - began >= 1.9
    assert "20 frames played" in text_of(said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("23:59:55", START + dt.timedelta(seconds=5)),
        ("23:59", START - dt.timedelta(seconds=50)),
        (" 23:59:50.25 ", START + dt.timedelta(milliseconds=250)),
        ("2025-03-02 00:00:03", START + dt.timedelta(seconds=13)),
        ("2025-03-02T00:00:03.5", START + dt.timedelta(seconds=13.5)),
    ],
)
def test_instants_are_read_as_people_write_them(text: str, expected: dt.datetime) -> None:
    """On the log's first day unless they name another."""
    assert instant_of(text, log_of()) == expected


def test_instants_are_in_the_logs_zone() -> None:
    """Also the day that they fall on."""
    assert instant_of("08:59:55", log_of(tz=SEOUL)) == START + dt.timedelta(seconds=5)


@pytest.mark.parametrize("text", ["", "5", "24:00:00", "2025-02-30 00:00:00", "23:59:61", "12:00:00+09:00"])
def test_other_instants_are_refused(text: str) -> None:
    """In words."""
    with pytest.raises(BadInput, match="is not a time HH:MM:SS"):
        instant_of(text, log_of())


def test_the_whole_log_is_a_part_too() -> None:
    """The log itself when nothing is asked for; what sticks out is cut."""
    log = log_of()
    assert part_of(log, None, None) is log
    part = part_of(log, "23:00:00", "23:59:55")
    assert (part.start_at, part.end_at) == (START, START + dt.timedelta(seconds=5))


def test_extents_are_four_numbers() -> None:
    """Blanks and fractions are fine; none is none."""
    assert extent_of(None) is None
    assert extent_of("-1.5, 0,20,1e3") == Extent(-1.5, 0, 20, 1000)
    for text in ("", "a,b,c,d", "1,2,3,4,5", "0,0,nan,1"):
        with pytest.raises(BadInput, match="X_MIN,Z_MIN,X_MAX,Z_MAX"):
            extent_of(text)


def test_choices_become_a_style() -> None:
    """Size and the rest; what cannot be is said as bad input."""
    style = styled(Style(), size="640x360", level=Level.FULL, speed=3.0)
    assert (style.width, style.height, style.level, style.speed) == (640, 360, Level.FULL, 3.0)
    with pytest.raises(BadInput, match="speed is 101"):
        styled(Style(), size="640x360", speed=101.0)


def test_asking_for_help_loads_no_picture_library() -> None:
    """The command line starts without NumPy, OpenCV and PyAV."""
    code = "import sys, extension.cli; print([m for m in ('numpy', 'cv2', 'av') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
