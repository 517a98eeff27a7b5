"""Simulated cameras, from files and drawn."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import av
import pytest

from extension.clock import SystemClock
from extension.errors import BadInput, BadSource
from extension.sources.rtsp import accidents
from extension.sources.rtsp.faults import Faults
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.scenes import Drawn
from extension.sources.rtsp.simulator import Plan, Simulator, checked
from extension.sources.rtsp.units import Codec
from tests.sources.rtsp.clips import until


def size_of(url: str) -> tuple[str, int, int]:
    """Codec, width and height of the first frame of a stream."""
    with av.open(url, options={"rtsp_transport": "tcp", "fpsprobesize": "3"}, timeout=(15, 10)) as watched:
        stream = watched.streams.video[0]
        frame = next(watched.decode(stream))
        return stream.codec_context.name, frame.width, frame.height


def test_drawn_cameras() -> None:
    """As many as wished, in the size that was wished; odd sizes are made even."""
    with Simulator(Plan(cameras=3, size=(161, 121), fps=20.0)) as simulator:
        pages = simulator.cameras()
        assert [page["name"] for page in pages] == ["cam0", "cam1", "cam2"]
        assert size_of(pages[2]["url"]) == ("h264", 160, 120)
        until(lambda: simulator.cameras()[2]["viewers"] == 0)


def test_files_are_looped_in_turn(clip: Path, hevc_clip: Path) -> None:
    """The third camera has the first file again; each says how long its loop is and when it began."""
    with Simulator(Plan(cameras=3, files=(clip, hevc_clip))) as simulator:
        codecs = [size_of(page["url"])[0] for page in simulator.cameras()]
        assert codecs == ["h264", "hevc", "h264"]
        for page in simulator.cameras():
            assert page["loop_s"] == pytest.approx(2.0)
            began_at = dt.datetime.fromisoformat(page["began_at"])
            assert abs((SystemClock().now() - began_at).total_seconds()) < 60


def test_another_resolution_is_half_the_size(clip: Path) -> None:
    """Of the same codec; encoded only while it plays."""
    with Simulator(Plan(files=(clip,))) as simulator:
        page = simulator.change("cam0", {"variant": 1})
        until(lambda: simulator.cameras()[0]["variant"] == 1)
        assert size_of(page["url"]) == ("h264", 80, 60)
        simulator.mend("cam0")
        until(lambda: simulator.cameras()[0]["variant"] == 0)


def test_files_with_the_clock_burnt_in(clip: Path) -> None:
    """Are encoded anew, in the wished codec."""
    with Simulator(Plan(files=(clip,), burn=True, codec=Codec.H265)) as simulator:
        assert size_of(simulator.cameras()[0]["url"]) == ("hevc", 160, 120)
        assert simulator.cameras()[0]["loop_s"] is None


def test_a_password(clip: Path) -> None:
    """Is wanted by all of them, and not shown."""
    with Simulator(Plan(files=(clip,), credentials=Credentials("joe", "hunter2"))) as simulator:
        with pytest.raises(av.error.HTTPUnauthorizedError):
            size_of(simulator.cameras()[0]["url"])
        assert size_of(simulator.server.url("cam0", user="joe", password="hunter2"))
        assert "hunter2" not in repr(simulator.cameras())


def test_faults_add_up_until_they_are_mended(clip: Path) -> None:
    """One changes, the others stay."""
    with Simulator(Plan(cameras=2, files=(clip,))) as simulator:
        simulator.change("cam0", {"stall": True})
        page = simulator.change("cam0", {"clock_s": -60, "loss": 0.5})
        assert page["faults"]["stall"] is True
        assert page["faults"]["clock_s"] == -60.0
        assert simulator.server.faults("cam1") == Faults()
        assert simulator.mend("cam0")["faults"] == simulator.cameras()[1]["faults"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"stal": True}, "there is no fault 'stal'; there are stall"),
        ({"stall": 1}, "stall takes a value like True"),
        ({"clock_s": True}, "clock_s takes a value like 1.0"),
        ({"loss": "much"}, "loss takes a value like 1.0, not 'much'"),
        ({"variant": None}, "variant takes a value like 1"),
    ],
)
def test_faults_that_are_none(wanted: dict[str, object], words: str) -> None:
    """Say what there is."""
    with pytest.raises(BadInput, match=words):
        checked(wanted)


def test_faults_have_their_kinds() -> None:
    """Whole numbers for shares and seconds are fine."""
    assert checked({"clock_s": -5, "variant": 1.0, "stall": True}) == {
        "clock_s": -5.0,
        "variant": 1,
        "stall": True,
    }
    assert isinstance(checked({"variant": 1.0})["variant"], int)


def test_every_fault_can_be_set() -> None:
    """None was forgotten."""
    import dataclasses

    for field in dataclasses.fields(Faults):
        value = True if field.default is False else 1
        assert checked({field.name: value})


def test_a_camera_that_is_not_there(clip: Path) -> None:
    """Names those that are."""
    words = "there is no stream 'cam7'; there are cam0"
    with Simulator(Plan(files=(clip,))) as simulator:
        with pytest.raises(BadInput, match=words):
            simulator.change("cam7", {})
        with pytest.raises(BadInput, match=words):
            simulator.mend("cam7")
        with pytest.raises(BadInput, match=words):
            simulator.cut("cam7", reset=True)


def test_a_file_that_is_no_video(tmp_path: Path) -> None:
    """One clear error before anything starts."""
    path = tmp_path / "notes.txt"
    path.write_text("no video")
    with pytest.raises(BadSource, match=r"notes\.txt"):
        Simulator(Plan(files=(path,)))


def test_cameras_with_planned_accidents_play_and_tell() -> None:
    """Each has a stage of its own, which both of its variants show."""
    told: list[Drawn] = []
    planned = accidents.Plan(seed=1, every_s=0.1, kinds=(accidents.Accident.FIRE,))
    plan = Plan(cameras=2, size=(128, 72), fps=20.0, accidents=planned, tell=told.append)
    with Simulator(plan) as simulator:
        until(lambda: len({one.camera for one in told}) == 2)
        assert {page["variant"] for page in simulator.cameras()} == {0}
    assert all(one.kind is accidents.Accident.FIRE and one.end_at is None for one in told)
