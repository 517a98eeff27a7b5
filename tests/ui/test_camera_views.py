"""What the page says of cameras, their incidents and their zones: words for people, and nothing anybody wrote becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extension.model import Basis, Check, Origin, Phase
from extension.sources.camera.trouble import MESSAGES, Code
from extension.ui import camera_words, cameras, clips, words, zones
from extension.ui.markup import joined
from extension.ui.sayings import lasting
from extension.ui.words import EN, KO, Words
from extension.wire import BriefOut, CameraOut, ZoneIO
from tests.ui.camera_values import Reader, camera, evidence, incident, link

SQUARE = [(0.1, 0.2), (0.4, 0.2), (0.4, 0.9)]


def shown(*listed: CameraOut, chosen: str | None = None, said: Words = EN) -> Reader:
    """The table as a browser reads it."""
    return Reader(cameras.cameras_table(listed, chosen, said))


def test_a_camera_that_is_well_says_so_in_numbers() -> None:
    """Name, address, last picture, what was recorded, what was looked at."""
    text = shown(camera()).text
    for part in (
        "gate",
        "rtsp://10.0.0.7:554",
        "recording",
        "10:05:00 UTC",
        "2026-05-04",
        "h264 1920x1080",
        "5 min 0 s recorded",
        "nothing lost",
        "7,500 frames",
        "58 looked at",
    ):
        assert part in text
    for absent in ("clock", "waiting", "without an answer", "connected again"):
        assert absent not in text


def test_a_camera_without_a_picture_says_since_when_and_why() -> None:
    """In the service's own words in English, in Korean in ours."""
    silent = camera(
        state="waiting",
        trouble="Unreachable",
        message=MESSAGES[Code.UNREACHABLE],
        lost_s={"Unreachable": 95.0, "Starting": 2.0, "Stalled": 0.0},
        reconnects=3,
    )
    english, korean = shown(silent).text, shown(silent, said=KO).text
    assert "no picture since 10:05:00 UTC: nothing answers at this address: check host" in english
    assert "1 min 35 s lost: nothing answers at its address" in english
    assert english.index("1 min 35 s lost") < english.index("2.0 s lost: before its first picture")
    assert "connected again 3 times" in english
    assert "0 s lost" not in english.replace("2.0 s lost", "")
    assert "화면 없음 10:05:00 UTC부터: 이 주소에서 응답이 없습니다" in korean
    assert "1분 35초 손실" in korean


def test_a_camera_that_records_and_is_in_trouble_is_not_called_well() -> None:
    """Pictures come, but not as they should."""
    reader = shown(camera(trouble="MissingFrames", message="the camera left out frames"))
    assert "trouble since 10:05:00 UTC: the camera left out frames" in reader.text
    assert reader.all("span", class_="tt-phase tt-resolved") == []


def test_a_camera_that_never_showed_anything_has_no_time() -> None:
    """Neither a last picture nor a since."""
    text = shown(
        camera(state="waiting", trouble="NotFound", message="", last_frame_at=None, picture=None)
    ).text
    assert "since" not in text
    assert "it knows no stream under this path" in text
    assert "none yet" in text


@pytest.mark.parametrize(
    ("offset_s", "said"),
    [
        (75.0, "its clock is 1 min 15 s ahead of ours"),
        (-3700.0, "its clock is 1 h 1 min behind ours"),
        (0.9, None),
        (None, None),
    ],
)
def test_only_a_clock_that_is_off_is_worth_a_word(offset_s: float | None, said: str | None) -> None:
    """A second is nothing."""
    text = shown(camera(clock_offset_s=offset_s)).text
    assert (said in text) if said else ("clock" not in text)


def test_a_clock_that_is_not_believed_is_told() -> None:
    """Times are those of arrival then."""
    assert "its clock is not believed" in shown(camera(clock_wrong=True)).text


def test_windows_are_told_by_what_became_of_them() -> None:
    """Looked at, passed over, left out, failed (by code), waiting."""
    counts = {"looked": 7, "gated": 30, "Shed": 2, "Timeout": 1, "NotCaptured": 3}
    text = shown(camera(windows=counts, waiting=2)).text
    for part in (
        "7 looked at",
        "30 passed over, as nothing moved",
        "2 left out, as the VLM was too slow",
        "4 without an answer",
        "2 waiting",
        "NotCaptured 3 · Timeout 1",
    ):
        assert part in text
    assert "none yet" in shown(camera(windows={})).text


def test_a_refused_camera_is_shown_with_what_to_mend_and_cannot_be_chosen() -> None:
    """Even when its name is that of the chosen one."""
    message = "another camera has this name already; this one is not captured"
    twin = camera("gate", state="refused", trouble="DuplicateName", message=message, last_frame_at=None)
    reader = shown(camera(), twin, chosen="gate")
    assert f"not watched {message}" in reader.text
    assert len(reader.all("tr", data_camera="gate")) == 1
    assert [b["aria-pressed"] for b in reader.all("button")] == ["true"]


def test_the_chosen_camera_is_marked_and_every_other_can_be() -> None:
    """For eyes and for screen readers."""
    reader = shown(camera(), camera("press"), chosen="press")
    assert [(b["data-camera"], b["aria-pressed"]) for b in reader.all("button")] == [
        ("gate", "false"),
        ("press", "true"),
    ]
    assert len(reader.all("tr", class_="tt-cam-row tt-chosen")) == 1


def test_no_camera_says_how_to_name_some() -> None:
    """In words, not as an empty table."""
    assert "EXT_CAMERAS_FILE" in shown().text
    assert shown().all("table") == []


@pytest.mark.parametrize("said", [EN, KO], ids=["en", "ko"])
def test_every_state_and_trouble_has_its_word(said: Words) -> None:
    """What the service may answer can be told in both languages."""
    for code in Code:
        assert said[f"why_{code}"]
    for state in ("connecting", "recording", "waiting", "stopped", "refused"):
        assert said[f"cam_{state}"]
    for check in Check:
        assert said[f"check_{check}"]


def test_the_cameras_take_no_words_from_the_rest_of_the_page() -> None:
    """Two parts of the page that name a thing alike would silently share its word."""
    source = words.__file__
    with open(source, encoding="utf-8") as file:  # noqa: PTH123 - a module's own file
        text = file.read()
    assert [key for key in camera_words.EN if f'"{key}":' in text] == []


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0.0, "0 s", "0초"),
        (0.44, "0.4 s", "0.4초"),
        (9.94, "9.9 s", "9.9초"),
        (59.4, "59 s", "59초"),
        (59.6, "1 min 0 s", "1분 0초"),
        (3599, "59 min 59 s", "59분 59초"),
        (3600, "1 h 0 min", "1시간 0분"),
        (90_061, "1 d 1 h", "1일 1시간"),
        (-5, "0 s", "0초"),
    ],
)
def test_how_long_it_took_is_told_in_two_units(seconds: float, english: str, korean: str) -> None:
    """The largest ones."""
    assert lasting(seconds, EN) == english
    assert lasting(seconds, KO) == korean


@given(st.floats(0, 1e9))
def test_every_length_of_time_can_be_told(seconds: float) -> None:
    """Never an empty text."""
    assert lasting(seconds, EN)


def test_incidents_are_rows_that_show_their_clip() -> None:
    """Severity, what, when, state, check, description; the button explains."""
    reader = Reader(clips.incidents_table([incident(2), incident(1)], incident(1).id, EN))
    for part in (
        "Incidents 2",
        "danger",
        "fall person",
        "10:02:00 UTC",
        "2026-05-04 · for 8.0 s",
        "resolved confirmed by a second look",
        "A person falls.",
    ):
        assert part in reader.text
    assert [r["data-incident"] for r in reader.all("tr") if "data-incident" in r] == [
        incident(2).id,
        incident(1).id,
    ]
    assert [b["data-at"] for b in reader.all("button")] == ["2026-05-04 10:02:00", "2026-05-04 10:01:00"]
    assert [r["data-incident"] for r in reader.all("tr", aria_current="true")] == [incident(1).id]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (Check.ONCE, "looked at once"),
        (Check.UNVERIFIED, "not verified"),
        (Check.WITHDRAWN, "withdrawn"),
        (Check.CONFIRMED, "confirmed by a second look"),
    ],
)
def test_what_became_of_looking_twice_is_told(check: Check, said: str) -> None:
    """Nobody has to guess whether an alert was verified."""
    assert said in Reader(clips.incidents_table([incident(check=check)], None, EN)).text


def test_a_notice_of_motion_alone_says_so() -> None:
    """It is no finding of a VLM."""
    text = Reader(clips.incidents_table([incident(basis=Basis.MOTION)], None, EN)).text
    assert "seen by motion alone" in text


def test_an_incident_without_a_clock_cannot_be_explained() -> None:
    """There is no time to ask about."""
    reader = Reader(clips.incidents_table([incident(start_at=None, end_at=None)], None, EN))
    assert reader.all("button") == []


def test_no_incident_is_said_in_words() -> None:
    """An empty table would look like a fault."""
    assert EN["cam_incidents_none"] in Reader(clips.incidents_table([], None, EN)).text


def test_the_clip_plays_and_its_files_can_be_had() -> None:
    """The hash is part of the address: a clip that was made anew is another one."""
    of = incident()
    found = evidence(
        of,
        link("manifest.json", "application/json"),
        link("clip.mp4", "video/mp4"),
        link("snapshot.jpg", "image/jpeg"),
    )
    reader = Reader(clips.evidence(of, found, EN))
    (video,) = reader.all("video")
    base = f"../api/v1/incidents/{of.id}/evidence"
    assert video["src"] == f"{base}/clip.mp4?{'ab' * 6}"
    assert video["poster"] == f"{base}/snapshot.jpg?{'ab' * 6}"
    assert {"controls", "muted", "autoplay", "playsinline"} <= set(video)
    assert [a["href"] for a in reader.all("a")] == [
        f"{base}/{name}" for name in ("manifest.json", "clip.mp4", "snapshot.jpg")
    ]


def test_a_picture_alone_is_shown_and_what_is_missing_is_named() -> None:
    """Better than nothing, and no silence about the rest."""
    of = incident()
    found = evidence(of, link("snapshot.jpg", "image/jpeg"), missing=(("clip.mp4", "the disk is full"),))
    reader = Reader(clips.evidence(of, found, EN))
    assert reader.all("video") == []
    assert len(reader.all("img")) == 1
    assert "clip.mp4 could not be made: the disk is full" in reader.text


@pytest.mark.parametrize(
    ("phase", "said"), [(Phase.OPEN, EN["clip_later"]), (Phase.RESOLVED, EN["clip_none"])]
)
def test_why_there_is_no_clip_is_said(phase: Phase, said: str) -> None:
    """It comes later, or it does not come."""
    of = incident(phase=phase)
    assert said in Reader(clips.evidence(of, None, EN)).text
    assert said in Reader(clips.evidence(of, evidence(of), EN)).text
    assert EN["clip_hint"] in Reader(clips.evidence(None, None, EN)).text


def brief(*names: str, origin: Origin = Origin.PAGE) -> BriefOut:
    """Zones of these names."""
    drawn = [ZoneIO(name=name, kind="no entry", points=SQUARE) for name in names]
    return BriefOut(notes="", zones=drawn, origin=origin)


def test_zones_are_drawn_over_the_picture_in_shares_of_it() -> None:
    """Whatever size it is shown at; each listed with its kind and a way to remove it."""
    reader = Reader(zones.picture(camera("프레스 2"), brief("Press 3", "Lane"), EN))
    assert [p["points"] for p in reader.all("polygon")] == ["0.1000,0.2000 0.4000,0.2000 0.4000,0.9000"] * 2
    (box,) = reader.all("div", class_="tt-picture")
    assert box["data-src"] == "../api/v1/cameras/%ED%94%84%EB%A0%88%EC%8A%A4%202/snapshot"
    assert [b["data-remove"] for b in reader.all("button") if "data-remove" in b] == ["Press 3", "Lane"]
    assert "Press 3 no entry Remove" in reader.text
    colours = [p["style"] for p in reader.all("polygon")]
    assert len(set(colours)) == 2


def test_what_was_drawn_here_can_be_taken_back() -> None:
    """What the file says cannot."""
    page, file = (
        Reader(zones.picture(camera(), brief("Lane", origin=origin), EN))
        for origin in (Origin.PAGE, Origin.FILE)
    )
    assert [b for b in page.all("button") if "data-reset" in b]
    assert not [b for b in file.all("button") if "data-reset" in b]
    assert EN["zones_none"] in Reader(zones.picture(camera(), brief(), EN)).text
    assert zones.picture(None, None, EN) == ""


def test_a_zone_cannot_be_saved_before_it_is_one() -> None:
    """zones.js lets it be when there are corners and names."""
    reader = Reader(zones.picture(camera(), None, EN))
    (save,) = reader.all("button", type="submit")
    assert "disabled" in save
    assert [i["maxlength"] for i in reader.all("input")] == ["40", "40"]


@pytest.mark.parametrize(
    ("segments", "recorded"), [(0, False), (1, True)], ids=["nothing-recorded", "recorded"]
)
def test_the_browser_knows_whether_a_picture_is_to_be_had(segments: int, *, recorded: bool) -> None:
    """It does not ask again and again for what is not there."""
    (box,) = Reader(zones.picture(camera(segments=segments), None, EN)).all("div", class_="tt-picture")
    assert ("data-recorded" in box) is recorded


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "x",
        {},
        {"camera": "c", "name": "n", "kind": "k"},
        {"camera": "c", "name": "n", "kind": 3, "points": []},
        {"camera": "c", "name": "n", "kind": "k", "points": [[1]]},
        {"camera": "c", "name": "n", "kind": "k", "points": [["a", "b"]]},
        {"camera": "c", "name": "n", "kind": "k", "points": [3]},
        {"camera": "c", "name": "n", "kind": "k", "points": "ab"},
    ],
)
def test_what_is_no_zone_is_not_taken_for_one(said: object) -> None:
    """Whatever a browser sends."""
    assert zones.drawn(said) is None


def test_a_drawn_zone_is_taken_as_it_is() -> None:
    """Blanks around its names aside; the service checks the rest."""
    said = {"camera": "gate", "name": " Press ", "kind": " no entry ", "points": [[0, 1], [0.5, 0.5]]}
    assert zones.drawn(said) == ("gate", "Press", "no entry", [(0.0, 1.0), (0.5, 0.5)])


def test_a_zone_of_a_known_name_takes_its_place() -> None:
    """And the others stay."""
    known = brief("Lane", "Press").zones
    new: dict[str, object] = {"name": "Lane", "kind": "walkway", "points": [[0, 0], [1, 0], [1, 1]]}
    assert [(z["name"], z["kind"]) for z in zones.with_zone(known, new)] == [
        ("Press", "no entry"),
        ("Lane", "walkway"),
    ]
    assert [z["name"] for z in zones.without_zone(known, "Press")] == ["Lane"]
    assert [z["name"] for z in zones.without_zone(known, "")] == ["Lane", "Press"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_nothing_that_is_written_becomes_an_element(said: str) -> None:
    """Names, messages, descriptions, zones, reasons why files are missing."""

    def page(text: str) -> list[str]:
        of = incident(description=text, objects=(text,))
        found = evidence(of, link("clip.mp4", "video/mp4"), missing=((text, text),))
        # The wire would refuse such names; the page does not rely on it.
        zone = ZoneIO.model_construct(name=text, kind=text, points=SQUARE)
        place = BriefOut.model_construct(notes=text, zones=[zone], origin=Origin.PAGE)
        html = joined(
            cameras.cameras_table([camera(text, message=text, trouble=text, lost_s={text: 3.0})], text, EN),
            clips.incidents_table([of], None, EN),
            clips.evidence(of, found, EN),
            zones.picture(camera(text), place, EN),
        )
        return [tag for tag, _ in Reader(html).found]

    assert page(f"<script>x</script>{said}\"'><img onerror=x>") == page("calm")
