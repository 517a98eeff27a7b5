"""What of the cameras is looked at again, and what is left alone: against a real API on loopback."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from extension.api import create_app
from extension.client import ApiClient
from extension.errors import BadInput, NotFound
from extension.evidence import expiry
from extension.evidence import shelf as evidence_shelf
from extension.evidence.manifest import NAME
from extension.model import JobStatus, Origin, Phase, Snapshot, Span
from extension.ui.camera_look import MOST_INCIDENTS, PARTS, Choice, Watched, look
from extension.ui.words import EN, KO
from extension.wire import BriefIn, BriefOut, CameraOut
from tests.api import samples
from tests.api.harness import StillClock, bound, make_desk, served
from tests.api.memory_shelf import MemoryShelf
from tests.ui.camera_values import camera, evidence, link
from tests.ui.test_refresh import Doorman

GATE, PRESS = "gate", "프레스 2"
SQUARE = {"name": "Lane", "kind": "no entry", "points": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}


class Briefs:
    """What is said of cameras' places, in memory."""

    def __init__(self) -> None:
        self.said: dict[str, BriefOut] = {}

    def brief(self, camera: str) -> BriefOut:
        """What is said of one."""
        return self.said.get(camera) or BriefOut(notes="from the file", zones=[], origin=Origin.FILE)

    def set_brief(self, camera: str, brief: BriefIn) -> BriefOut:
        """Say it."""
        self.said[camera] = BriefOut(notes=brief.notes, zones=brief.zones, origin=Origin.PAGE)
        return self.said[camera]

    def drop_brief(self, camera: str) -> BriefOut:
        """Take it back."""
        self.said.pop(camera, None)
        return self.brief(camera)

    def snapshot(self, camera: str, at: dt.datetime | None) -> Snapshot:
        """There is none."""
        raise NotFound(f"{camera} has no picture at {at}")


@dataclasses.dataclass
class Stage:
    """A service that watches, what it keeps, and what was asked of it."""

    api: ApiClient
    shelf: MemoryShelf
    outputs_dir: Path
    briefs: Briefs
    cameras: list[CameraOut]
    asked: list[str]

    def found(self, *numbers: int, phase: Phase = Phase.RESOLVED) -> None:
        """Incidents at the gate, by number; each begins a minute after the one before."""
        made = [
            samples.incident(
                f"camera-{GATE}", number, phase=phase, span=Span(60.0 * number, 60.0 * number + 8)
            )
            for number in numbers
        ]
        self.shelf.commit_judgement(f"camera-{GATE}", judged_chunks=9, events=[], incidents=made, messages=[])

    def proven(self, number: int) -> None:
        """Evidence of one of them, a clip alone."""
        of = self.api.incidents(f"camera-{GATE}")[number]
        folder = evidence_shelf.place(self.outputs_dir / of.job_id, of.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "clip.mp4").write_bytes(b"clip")
        manifest = evidence(of, link("clip.mp4", "video/mp4")).manifest
        file = {
            "name": "clip.mp4",
            "media_type": "video/mp4",
            "sha256": "cd" * 32,
            "size_bytes": 4,
            "width": 2,
            "height": 2,
            "start_s": 0,
            "end_s": 1,
            "frames": 1,
        }
        whole = manifest.model_validate(manifest.model_dump(mode="json") | {"files": [file]})
        (folder / NAME).write_text(whole.page(), "utf-8")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Two cameras, and one that is refused; nothing was found yet."""
    clock = StillClock()
    shelf = MemoryShelf(clock)
    desk = make_desk(shelf, clock, tmp_path)
    cameras = [
        camera(GATE),
        camera(PRESS),
        camera(
            GATE, state="refused", trouble="DuplicateName", message="another camera has this name already"
        ),
    ]
    for one in cameras[:2]:
        shelf.add_job(samples.job(one.job_id, status=JobStatus.LIVE, finished_at=None))
    briefs = Briefs()
    app = create_app(dataclasses.replace(desk.services, cameras=lambda: list(cameras), places=briefs))
    asked: list[str] = []
    app.add_middleware(Doorman, asked=asked)
    with served(app, bound()) as address:
        yield Stage(ApiClient(address), shelf, desk.services.outputs_dir, briefs, cameras, asked)


def test_the_first_camera_is_shown_where_none_is_chosen(stage: Stage) -> None:
    """List, picture, incidents; nothing stays empty but what there is nothing for."""
    seen = look(stage.api, Watched(), Choice(), EN)
    assert seen.shown is not None
    assert seen.shown.name == GATE
    assert set(seen.parts) == set(PARTS)
    assert EN["cam_incidents_none"] in seen.parts["cam-incidents"]
    assert seen.parts["clip"] == ""


@pytest.mark.parametrize("name", [PRESS, GATE])
def test_the_chosen_camera_is_shown(stage: Stage, name: str) -> None:
    """Whatever letters its name has; never the refused one of the same name."""
    seen = look(stage.api, Watched(), Choice(name), EN)
    assert seen.shown is not None
    assert (seen.shown.name, seen.shown.state) == (name, "recording")


@pytest.mark.parametrize("name", ["attic", "../about", ""])
def test_an_unknown_camera_gives_way_to_the_first(stage: Stage, name: str) -> None:
    """An old address still shows something, and no part of a request is made of it."""
    seen = look(stage.api, Watched(), Choice(name), EN)
    assert seen.shown is not None
    assert seen.shown.name == GATE
    assert not [path for path in stage.asked if name and name in path]


def test_a_look_again_costs_two_requests(stage: Stage) -> None:
    """The cameras and the incidents of the one that is shown; what the VLM is told rarely changes."""
    first = look(stage.api, Watched(), Choice(GATE), EN)
    stage.asked.clear()
    second = look(stage.api, first, Choice(GATE), EN)
    assert stage.asked == ["cameras", f"jobs/camera-{GATE}/incidents"]
    assert second.parts == first.parts


def test_a_change_of_the_place_is_seen_when_asked_for_anew(stage: Stage) -> None:
    """After saving, or when the camera is chosen."""
    first = look(stage.api, Watched(), Choice(GATE), EN)
    stage.api.set_brief(GATE, "steam is normal", [SQUARE])
    assert look(stage.api, first, Choice(GATE), EN).parts["picture"] == first.parts["picture"]
    anew = look(stage.api, first, Choice(GATE), EN, anew=True)
    assert "Lane" in anew.parts["picture"]
    assert anew.brief is not None
    assert anew.brief.notes == "steam is normal"


def test_another_camera_brings_its_own_place_and_incidents(stage: Stage) -> None:
    """Nothing of the one before stays."""
    stage.api.set_brief(GATE, "", [SQUARE])
    stage.found(0)
    first = look(stage.api, Watched(), Choice(GATE), EN)
    second = look(stage.api, first, Choice(PRESS), EN)
    assert "Lane" not in second.parts["picture"]
    assert second.incidents == ()


def test_incidents_come_newest_first_and_not_without_end(stage: Stage) -> None:
    """A year's worth of them stays where it is."""
    stage.found(*range(MOST_INCIDENTS + 7))
    seen = look(stage.api, Watched(), Choice(GATE), EN)
    starts = [one.start_s for one in seen.incidents]
    assert starts == sorted(starts, reverse=True)
    assert (len(starts), starts[0]) == (MOST_INCIDENTS, 60.0 * (MOST_INCIDENTS + 6))


def test_evidence_is_asked_for_until_it_is_there_and_then_no_more(stage: Stage) -> None:
    """The page shows the clip by itself, and leaves it alone while it plays."""
    stage.found(0, 1)
    chosen = Choice(GATE, stage.api.incidents(f"camera-{GATE}")[1].id)
    seen = look(stage.api, Watched(), chosen, EN)
    assert EN["clip_none"] in seen.parts["clip"]
    stage.proven(1)
    seen = look(stage.api, seen, chosen, EN)
    assert "clip.mp4?" in seen.parts["clip"]
    stage.asked.clear()
    again = look(stage.api, seen, chosen, EN)
    assert not [path for path in stage.asked if "evidence" in path]
    assert again.parts["clip"] == seen.parts["clip"]


def test_evidence_of_an_incident_that_goes_on_is_asked_for_again(stage: Stage) -> None:
    """What is there at its beginning is not all."""
    stage.found(0, phase=Phase.OPEN)
    chosen = Choice(GATE, stage.api.incidents(f"camera-{GATE}")[0].id)
    assert EN["clip_later"] in look(stage.api, Watched(), chosen, EN).parts["clip"]
    stage.proven(0)
    seen = look(stage.api, Watched(), chosen, EN)
    stage.found(0)
    stage.asked.clear()
    look(stage.api, seen, chosen, EN)
    assert [path for path in stage.asked if "evidence" in path]


def test_an_incident_of_another_camera_is_not_shown(stage: Stage) -> None:
    """Choosing a camera shows its incidents alone."""
    stage.found(0)
    chosen = Choice(PRESS, stage.api.incidents(f"camera-{GATE}")[0].id)
    assert look(stage.api, Watched(), chosen, EN).evidence is None


def test_a_service_that_is_away_leaves_all_as_it_was(stage: Stage) -> None:
    """Only the list says so; when it is back, everything is."""
    first = look(stage.api, Watched(), Choice(GATE), EN)
    with bound() as closed:
        nobody = ApiClient(f"http://127.0.0.1:{closed.getsockname()[1]}")
        away = look(nobody, first, Choice(GATE), EN)
        empty = look(nobody, Watched(), Choice(), KO)
    assert EN["away"] in away.parts["cameras"]
    assert GATE in away.parts["cameras"]
    assert away.parts["picture"] == first.parts["picture"]
    assert KO["away"] in empty.parts["cameras"]
    assert look(stage.api, away, Choice(GATE), EN).parts == first.parts


def test_no_camera_at_all_is_said_in_words(stage: Stage) -> None:
    """Also where all that are named are refused."""
    del stage.cameras[:2]
    refused = look(stage.api, Watched(), Choice(GATE), EN)
    assert "another camera has this name already" in refused.parts["cameras"]
    assert refused.parts["picture"] == ""
    stage.cameras.clear()
    assert "EXT_CAMERAS_FILE" in look(stage.api, Watched(), Choice(), EN).parts["cameras"]


def test_what_is_said_of_a_place_goes_there_and_back(stage: Stage) -> None:
    """Over the client, for a name that needs quoting; the service checks zones and says what is wrong."""
    assert stage.api.brief(PRESS).notes == "from the file"
    saved = stage.api.set_brief(PRESS, "wet floor", [SQUARE])
    assert (saved.notes, saved.zones[0].name, saved.origin) == ("wet floor", "Lane", Origin.PAGE)
    with pytest.raises(BadInput, match="points"):
        stage.api.set_brief(PRESS, "", [SQUARE | {"points": [[0.1, 0.1]]}])
    assert stage.api.brief(PRESS).notes == "wet floor"
    assert stage.api.drop_brief(PRESS).origin == Origin.FILE


def test_the_windows_of_an_instant_are_asked_for_by_name_and_time(stage: Stage) -> None:
    """A camera that there is not has none."""
    at = dt.datetime(2026, 5, 4, 19, 0, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    with pytest.raises(NotFound, match=PRESS):
        stage.api.looks(PRESS, at)
    assert stage.asked[-1] == f"cameras/{PRESS}/windows"


def test_only_the_newest_incidents_can_be_asked_for(stage: Stage) -> None:
    """By start, as without the limit; a limit that is none is refused."""
    stage.found(3, 1, 2, 0)
    every = stage.api.incidents(f"camera-{GATE}", newest=100)
    assert [one.start_s for one in every] == [0, 60, 120, 180]
    assert stage.api.incidents(f"camera-{GATE}", newest=2) == every[2:]
    with pytest.raises(BadInput, match="newest"):
        stage.api.incidents(f"camera-{GATE}", newest=0)


def test_an_incident_without_evidence_keeps_its_line(stage: Stage) -> None:
    """What it was is told even so."""
    stage.found(0)
    of = stage.api.incidents(f"camera-{GATE}")[0]
    clip = look(stage.api, Watched(), Choice(GATE, of.id), EN).parts["clip"]
    assert of.description in clip


def test_evidence_that_is_no_longer_kept_is_not_taken_for_a_service_that_is_away(stage: Stage) -> None:
    """The incident itself stays, and the page says that its clip is gone."""
    stage.found(0)
    of = stage.api.incidents(f"camera-{GATE}")[0]
    chosen = Choice(GATE, of.id)
    stage.proven(0)
    assert "clip.mp4" in look(stage.api, Watched(), chosen, EN).parts["clip"]
    (kept,) = expiry.stored(stage.outputs_dir)
    expiry.expire(kept, samples.BEGIN)
    seen = look(stage.api, Watched(), chosen, EN)
    assert EN["clip_none"] in seen.parts["clip"]
    assert EN["away"] not in seen.parts["cameras"]
