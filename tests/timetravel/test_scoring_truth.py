"""A truth is read from a log, a contacts file, a collisions CSV or a list of seconds; anything else is refused with its place."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from extension.errors import BadInput
from extension.timetravel.scoring_runs import Truth
from extension.timetravel.scoring_truth import read_truth

START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def written(folder: Path, text: str, name: str = "truth.json") -> Path:
    """A file with that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, content: Any, name: str = "truth.json", **more: Any) -> Truth:
    """The truth in a file of text, or of JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    return read_truth(written(folder, text, name), **{"threshold_cm": 100.0, **more})


def contact(start: str, end: str, *objects: str) -> dict[str, Any]:
    """One contact of a contacts file on New Year's Day 2025."""
    return {
        "objects": list(objects),
        "start_at": f"2025-01-01T{start}Z",
        "end_at": f"2025-01-01T{end}Z",
        "closest_cm": 12.0,
        "closest_at": f"2025-01-01T{start}Z",
    }


def test_a_log_is_computed(tmp_path: Path) -> None:
    """Contacts, seconds, length, clock and labels all come from the coordinates."""
    rows = "".join(
        f"2025-01-01 00:00:{tick // 5:02d}.{tick % 5 * 200:03d},obj{n:03d},{x},0,0\n"
        for tick in range(50)
        for n, x in ((1, 0), (4, 50 if 20 <= tick <= 27 else 900))
    )
    truth = read(tmp_path, "timestamp,objid,x,y,z\n" + rows, "log.csv")
    ((start_s, end_s, objects),) = ((o.start_s, o.end_s, o.objects) for o in truth.contacts)
    assert (start_s, end_s, objects) == (4.0, 5.4, ("1", "4"))
    assert truth.seconds == ((4, ("1", "4")), (5, ("1", "4")))
    assert (truth.duration_s, truth.threshold_cm, truth.clock.start_at) == (9.8, 100.0, START)
    assert truth.label("obj004") == "4"


def test_a_contacts_file(tmp_path: Path) -> None:
    """In any order, seconds counted to the last instant; the log's start is midnight when the file does not tell."""
    page = {
        "threshold_cm": 80,
        "contacts": [
            contact("00:00:40", "00:00:41.5", "2", "3"),
            contact("00:00:28.4", "00:00:28.6", "1", "4"),
        ],
    }
    truth = read(tmp_path, page)
    assert [(o.start_s, o.objects) for o in truth.contacts] == [(28.4, ("1", "4")), (40.0, ("2", "3"))]
    assert truth.seconds == ((28, ("1", "4")), (40, ("2", "3")), (41, ("2", "3")))
    assert (truth.threshold_cm, truth.duration_s) == (80.0, None)


def test_a_contacts_file_that_tells_the_logs_span(tmp_path: Path) -> None:
    """Then times count from its start."""
    page = {
        "start_at": "2025-01-01T00:00:20Z",
        "end_at": "2025-01-01T00:01:20Z",
        "contacts": [contact("00:00:28.5", "00:00:29", "obj001", "obj004")],
    }
    truth = read(tmp_path, page)
    assert (truth.contacts[0].start_s, truth.contacts[0].objects, truth.duration_s) == (8.5, ("1", "4"), 60.0)
    assert truth.clock.second_of("00:00:28") == 8


def test_a_truth_without_contacts_is_one(tmp_path: Path) -> None:
    """A log in which nothing happens is what false alarms are counted on."""
    assert read(tmp_path, {"threshold_cm": 100, "contacts": []}).contacts == ()
    assert read(tmp_path, {}).contacts == ()


def test_a_list_of_seconds(tmp_path: Path) -> None:
    """Ids as numbers or text, one group or several; neighbouring seconds are one contact."""
    truth = read(tmp_path, {"30": [["2", "4"]], "31": [[2, 4], [1, 3]], "28": ["obj001", "obj004"]})
    assert [o.objects for o in truth.contacts] == [("1", "4"), ("2", "4"), ("1", "3")]
    assert len(truth.seconds) == 4
    later = read(tmp_path, {"28": [[1, 4]]}, start_at=START + 10 * SECOND)
    assert later.clock.second_of("00:00:38") == 28


COLLISIONS = """timestamp,objid,x,y,z,kind
2025-01-01 00:00:05.000,obj001,0,0,0,object
2025-01-01 00:00:05.000,obj002,55,0,0,object
2025-01-01 00:00:05.033,obj001,1,0,0,object
2025-01-01 00:00:05.033,obj002,54,0,0,object
2025-01-01 00:00:07.000,obj003,0,0,0,wall
2025-01-01 00:00:09.000,obj001,0,0,0,object
2025-01-01 00:00:09.000,obj002,50,0,0,object
2025-01-01 00:00:09.000,obj003,900,0,0,object
2025-01-01 00:00:09.000,obj004,950,0,0,object
2025-01-01 00:00:20.000,obj004,0,0,0,object
"""


def test_a_collisions_csv(tmp_path: Path) -> None:
    """Partners are who is near at the same tick; ticks of one contact are one; walls are left out with a word."""
    truth = read(tmp_path, COLLISIONS, "collisions.csv", threshold_cm=60.0)
    assert [(round(o.start_s, 3), round(o.end_s, 3), o.objects) for o in truth.contacts] == [
        (5.0, 5.033, ("1", "2")),
        (9.0, 9.0, ("1", "2")),
        (9.0, 9.0, ("3", "4")),
        (20.0, 20.0, ("4",)),
    ]
    assert truth.warnings == (
        "1 contacts with walls are left out",
        "1 collisions name no partner: they can be detected, not attributed",
    )


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param("", "line 1: not a truth; known are", id="empty"),
        pytest.param("hello\nworld\n", "line 1: not a truth; known are", id="prose"),
        pytest.param("[1, 2]", "neither contacts nor seconds", id="a-list"),
        pytest.param('{"a": 1}', "neither contacts nor seconds", id="another-object"),
        pytest.param('{"contacts": [\n  {,', "line 2", id="broken-json"),
        pytest.param(
            {"contacts": [{"objects": ["1", "2"]}]}, "contact 1: 'start_at' is missing", id="no-start"
        ),
        pytest.param(
            {"contacts": [contact("00:00:09", "00:00:08", "1", "2")]},
            "contact 1: it ends before",
            id="backwards",
        ),
        pytest.param(
            {"contacts": [contact("00:00:08", "soon", "1", "2")]}, "is not a timestamp", id="no-time"
        ),
        pytest.param({"28": [[1, {}]]}, "not an object's number or name", id="bad-object"),
        pytest.param({"28": "1 and 4"}, "not a list of objects", id="bad-group"),
        pytest.param(COLLISIONS.replace("wall", "roof"), "line 6: kind is 'roof'", id="unknown-kind"),
        pytest.param(COLLISIONS.replace("obj002,55", "obj002,far"), "line 3:", id="bad-number"),
        pytest.param(COLLISIONS.replace("00:00:20.000", "later"), "line 11:", id="bad-timestamp"),
        pytest.param("timestamp,objid,x,y,z\n2025-01-01 00:00:00,obj001,a,0,0\n", "line 2", id="bad-log"),
    ],
)
def test_what_is_no_truth_is_refused_with_its_place(tmp_path: Path, content: Any, complaint: str) -> None:
    """The message names the file, the place and the reason."""
    with pytest.raises(BadInput) as refused:
        read(
            tmp_path,
            content,
            "given.csv" if isinstance(content, str) and "," in content[:12] else "given.json",
        )
    assert str(refused.value).startswith("given.")
    assert complaint in str(refused.value)


def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path: Path) -> None:
    """No path of the machine."""
    with pytest.raises(BadInput, match=r"^absent\.csv: cannot be read"):
        read_truth(tmp_path / "absent.csv", threshold_cm=100.0)


@pytest.mark.footage
def test_the_labs_log_has_nine_contacts_in_thirteen_seconds(footage_log: Path) -> None:
    """The hand-made list of seconds, computed."""
    truth = read_truth(footage_log, threshold_cm=100.0)
    assert (len(truth.contacts), len(truth.seconds), truth.duration_s) == (9, 13, 60.0)
