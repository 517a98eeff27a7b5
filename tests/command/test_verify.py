"""`timetravel verify`: what a person, a script and a narrow terminal get to see."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from extension import cli
from extension.command.verify import check
from extension.evidence.collect import collect
from extension.evidence.parts import whole
from tests.evidence.cases import CONTEXT, case
from tests.evidence.films import draw, every


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """The outputs of a job with two incidents."""
    video = draw(tmp_path / "a_video_with_a_long_name_from_the_gate_camera_of_the_second_yard.mp4", every(4))
    collect(tmp_path, [case(2.0, 2.5, 0), case(3.0, 3.5, 1)], whole(video, 4.0), CONTEXT)
    return tmp_path


def said(path: Path, width: int = 80, **options: bool) -> tuple[int, str]:
    """Exit code, and what a terminal of that width shows."""
    text = io.StringIO()
    code = check(path, Console(file=text, width=width, color_system=None), **options)  # type: ignore[arg-type]  # flags only
    return code, text.getvalue()


def test_what_is_whole_is_told_in_a_table(job: Path) -> None:
    """One line per item, and one at the end."""
    code, text = said(job / "evidence" / "incident-0")
    assert code == 0
    lines = text.splitlines()
    assert lines[0].rstrip() == "Evidence of incident incident-0"
    assert [line.split()[:2] for line in lines if "clip.mp4" in line] == [["clip.mp4", "pass"]]
    assert lines[-1] == "All 6 checks passed: the evidence is as it was made."


def test_what_is_wrong_is_named(job: Path) -> None:
    """In the table with the reason, and at the end."""
    folder = job / "evidence" / "incident-0"
    (folder / "snapshot.jpg").unlink()
    data = bytearray((folder / "clip.mp4").read_bytes())
    data[-7] ^= 1
    (folder / "clip.mp4").write_bytes(data)
    code, text = said(folder)
    assert code == 1
    assert text.splitlines()[-1] == "The evidence is NOT as it was made: clip.mp4, snapshot.jpg."
    assert any(line.split() == ["snapshot.jpg", "fail", "missing"] for line in text.splitlines())


def test_eighty_columns_are_enough(job: Path) -> None:
    """Nothing is cut off: long names and reasons go on in the next line."""
    folder = job / "evidence" / "incident-0"
    (folder / "clip.mp4").write_bytes(b"another")
    _, text = said(folder)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    joined = "".join("".join(line[:31].split()) for line in text.splitlines())
    assert "sourcea_video_with_a_long_name_from_the_gate_camera_of_the_second_yard.mp4" in joined


def test_all_incidents_of_a_job_at_once(job: Path) -> None:
    """A table each; what is wrong is named with its folder."""
    (job / "evidence" / "incident-1" / "clip.mp4").unlink()
    code, text = said(job / "evidence")
    assert code == 1
    assert text.count("Evidence of incident") == 2
    assert text.splitlines()[-1] == "The evidence is NOT as it was made: incident-1/clip.mp4."


def test_programs_get_json(job: Path) -> None:
    """The same, item by item."""
    (job / "evidence" / "incident-1" / "clip.mp4").unlink()
    code, text = said(job / "evidence", as_json=True)
    page = json.loads(text)
    assert (code, page["ok"]) == (1, False)
    assert [(one["incident_id"], one["ok"]) for one in page["evidence"]] == [
        ("incident-0", True),
        ("incident-1", False),
    ]
    assert {"item": "clip.mp4", "outcome": "fail", "detail": "missing"} in page["evidence"][1]["findings"]


def test_a_name_is_never_taken_for_markup(job: Path) -> None:
    """Names come from cameras and from people."""
    folder = job / "evidence" / "incident-0"
    (folder / "[red]note.txt").write_text("x", "utf-8")
    assert "[red]note.txt" in said(folder)[1]


def test_the_command_line_tells_by_its_exit_code(job: Path) -> None:
    """0 when all is well, 1 when it is not."""
    folder = job / "evidence" / "incident-0"
    (video,) = job.glob("*.mp4")
    told = (folder / "SHA256SUMS").read_text("utf-8").split()[0]
    run = CliRunner().invoke
    good = run(cli.app, ["verify", str(folder), "--source", str(video), "--sha256", told])
    assert (good.exit_code, "All 8 checks passed" in good.output) == (0, True)
    assert run(cli.app, ["verify", str(folder), "--sha256", "0" * 64]).exit_code == 1
    (folder / "clip.mp4").unlink()
    bad = run(cli.app, ["verify", str(folder / "manifest.json"), "--json"])
    assert (bad.exit_code, json.loads(bad.output)["ok"]) == (1, False)


def test_where_there_is_nothing_the_command_fails(tmp_path: Path) -> None:
    """In one sentence, which `main` prints."""
    result = CliRunner().invoke(cli.app, ["verify", str(tmp_path / "nothing")])
    assert result.exit_code == 1
    assert "there is no evidence called 'nothing'" in str(result.exception)
