"""The command `timetravel backtest`: what is meant by its words, what it prints and writes, and its one clear line when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from extension import cli
from extension.errors import BadInput, ExtensionError, NotFound
from tests.command.backtest_site import CAMERA, with_camera
from tests.evidence.films import Look, draw, every
from tests.pipeline.backtest.test_footage import ring_of
from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions

FALL = json.dumps(
    {
        "status": "danger",
        "events": [
            {
                "kind": "fall",
                "start_s": 1.0,
                "end_s": 2.0,
                "severity": "danger",
                "objects": ["person"],
                "description": "A person falls.",
            }
        ],
        "summary": "",
    }
)
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, with a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "100")

    def ran(*words: str | Path) -> Result:
        return CliRunner().invoke(cli.app, ["backtest", *map(str, words)])

    return ran


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[ViaDouble]:
    """A via-server that sees a fall at 21 s of everything, by whatever windows."""

    def script(query: dict[str, Any], _: int) -> Answer:
        info = query["media_info"]
        shown = info["start_offset"] <= 20 < info["end_offset"]
        text = json.loads(FALL)
        text["events"][0] |= {"start_s": 21.0 - info["start_offset"], "end_s": 22.0 - info["start_offset"]}
        return 200, captions(query, lambda _s: json.dumps(text) if shown else SAFE)

    with ViaDouble(script) as made:
        monkeypatch.setenv("VIA_BACKEND", made.url)
        yield made


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A film of 40 s in which the picture changes all the time."""
    return draw(tmp_path / "yard.mp4", every(40.0, 5), Look())


def failure(result: Result) -> ExtensionError:
    """What the command failed with, which the command line turns into one line."""
    assert isinstance(result.exception, ExtensionError), result.output
    return result.exception


def spans_of(double: ViaDouble) -> list[tuple[int, int]]:
    """What was asked about."""
    return sorted((q["media_info"]["start_offset"], q["media_info"]["end_offset"]) for q in double.queries)


def test_a_camera_is_judged_again_without_a_service(run: Run, tmp_path: Path) -> None:
    """Counts of both sets of rules, and the difference with times."""
    with_camera(tmp_path / "data")
    shown = run(CAMERA, "--second-look", "off", "--merge-gap-s", "15")
    assert shown.exit_code == 0, shown.output
    assert "merge_gap_s: 10.0 → 15.0" in shown.output
    assert "second_look: as stored → off" in shown.output
    assert "Difference: 1 appear, 1 vanish, 1 change, 1 stay as they are" in shown.output
    assert "2026-05-04 10:01:02-10:01:04" in shown.output
    assert "part of 10:00:22-10:00:38" in " ".join(shown.output.split())
    assert "Timeout 1" in shown.output


def test_files_are_written_where_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    """All of it as JSON, and a page that needs nothing else."""
    with_camera(tmp_path / "data")
    told, page = tmp_path / "out" / "b.json", tmp_path / "out" / "b.html"
    shown = run(CAMERA, "--gate", "on", "--json", told, "--report", page)
    assert shown.exit_code == 0, shown.output
    (source,) = json.loads(told.read_text())["sources"]
    assert source["source"] == CAMERA
    assert [side["counts"]["all"] for side in source["sides"]] == [3, 2]
    assert [one["kind"] for one in source["difference"]["vanished"]] == ["smoke"]
    assert source["difference"]["vanished"][0]["start_at"] == "2026-05-04T10:01:32.000+00:00"
    assert page.read_text().startswith("<!doctype html>")
    assert "2026-05-04 10:01:32" in page.read_text()


def test_a_file_that_cannot_be_written_is_said_so(run: Run, tmp_path: Path) -> None:
    """Without its folder."""
    with_camera(tmp_path / "data")
    assert "data: cannot be written" in str(failure(run(CAMERA, "--json", tmp_path / "data")))


def test_a_film_is_watched_as_if_it_were_a_camera(run: Run, video: Path, double: ViaDouble) -> None:
    """Windows of 10 s every 5 s; a second look; one incident."""
    shown = run(video)
    assert shown.exit_code == 0, shown.output
    assert [span for span in spans_of(double) if span[1] - span[0] == 10][:2] == [(0, 10), (5, 15)]
    assert "Incidents (1)" in shown.output
    assert "21.0-22.0 s" in shown.output
    assert "confirmed" in shown.output
    assert not double.files, "what was added is deleted"


def test_what_two_sets_of_rules_ask_alike_is_asked_once(run: Run, video: Path, double: ViaDouble) -> None:
    """The merge gap changes no question."""
    shown = run(video, "--merge-gap-s", "2", "--second-look", "off")
    assert shown.exit_code == 0, shown.output
    firsts = [q for q in double.queries if q["num_frames_per_chunk"] == 40]
    assert len(firsts) == 7


def test_other_windows_are_asked_about(run: Run, video: Path, double: ViaDouble) -> None:
    """The difference is what came of them."""
    shown = run(video, "--window-s", "4", "--stride-s", "2", "--frames", "16", "--second-look", "off")
    assert shown.exit_code == 0, shown.output
    assert (18, 22) in spans_of(double)
    assert "window_s: 10.0 → 4.0" in shown.output
    assert "No difference" in shown.output or "Difference:" in shown.output


@pytest.mark.usefixtures("double")
def test_two_files_of_rules_are_compared(run: Run, video: Path, tmp_path: Path) -> None:
    """Under the names of their files."""
    (tmp_path / "day.yaml").write_text("second_look: off\n")
    (tmp_path / "night.yaml").write_text("second_look: off\nleast_severity: extreme\n")
    shown = run(video, "--rules", "day.yaml", "--against", "night.yaml")
    assert shown.exit_code == 0, shown.output
    assert "day" in shown.output
    assert "night" in shown.output
    assert "Difference: 0 appear, 1 vanish" in shown.output


def test_the_ring_is_watched(run: Run, tmp_path: Path, double: ViaDouble) -> None:
    """What it still holds of a camera, by the cameras' file."""
    ring_of(tmp_path / "data", *(2.0 * n for n in range(12)))
    shown = run("--camera", "gate", "--from", "2026-05-04T10:00:00", "--second-look", "off")
    assert shown.exit_code == 0, shown.output
    assert "gate: 24 s" in shown.output
    assert len(double.queries) == 4, "windows at 0, 5, 10 and 15 s, each a file of its own"
    assert double.added == 4
    assert not double.files


def test_the_rules_of_a_camera_are_those_of_the_cameras_file(
    run: Run, tmp_path: Path, double: ViaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its windows, and no second look where it wants none."""
    book = tmp_path / "cameras.yaml"
    book.write_text(
        "cameras: [{name: gate, url: 'rtsp://x/', window_s: 6, stride_s: 6, second_look: false, notes: 'Loud.'}]"
    )
    monkeypatch.setenv("EXT_CAMERAS_FILE", str(book))
    ring_of(tmp_path / "data", *(2.0 * n for n in range(6)))
    shown = run("--camera", "gate")
    assert shown.exit_code == 0, shown.output
    assert len(double.queries) == 2
    assert all("Loud." in query["prompt"] for query in double.queries), "what is said of the place"


def test_what_the_settings_say_for_all_cameras_holds_here_too(
    run: Run, video: Path, double: ViaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames per window, and that nobody looks twice; a change may look twice all the same."""
    monkeypatch.setenv("EXT_FRAMES_PER_CHUNK", "12")
    monkeypatch.setenv("EXT_SECOND_LOOK", "false")
    shown = run(video, "--second-look", "on")
    assert shown.exit_code == 0, shown.output
    assert "second_look: off → on" in shown.output
    assert sum(query["num_frames_per_chunk"] == 12 for query in double.queries) == 7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "say what to judge again", id="nothing"),
        pytest.param(["x", "--camera", "gate"], "not both", id="both"),
        pytest.param(["nobody"], "nothing has been analysed yet", id="no-database"),
        pytest.param(["a", "b"], "one job or camera at a time", id="two-jobs"),
        pytest.param(["nowhere.mp4"], "nowhere.mp4: there is no such file", id="no-file"),
        pytest.param(["yard.mp4", "nobody"], "one job or camera at a time", id="a-file-and-a-job"),
        pytest.param(["yard.mp4", "--from", "3"], "videos are watched as a whole", id="part-of-a-file"),
        pytest.param(["yard.mp4", "--rules", "no.yaml"], "no.yaml: cannot be read", id="no-rules"),
        pytest.param(["yard.mp4", "--stride-s", "20"], "would never be looked at", id="holes"),
        pytest.param(["yard.mp4", "--prompt", "nothing"], "no prompt is called", id="no-prompt"),
        pytest.param(
            ["yard.mp4", "--prompt", "simple_view", "--language", "ko"],
            "does not exist",
            id="no-such-language",
        ),
        pytest.param(["--camera", "door"], "the ring holds nothing of a camera 'door'", id="no-camera"),
        pytest.param(["--camera", "door", "--from", "noon"], "no instant", id="no-instant"),
        pytest.param(
            ["gate-3", "--window-s", "5", "--frames", "8"], "--window-s, --frames: stored", id="not-seen"
        ),
        pytest.param(["gate-3", "--rules", "x.yaml"], "--rules: stored answers", id="rules-for-answers"),
        pytest.param(
            ["yard.mp4", "--against", "x.yaml", "--gate", "on"], "leave the options", id="file-and-options"
        ),
    ],
)
def test_what_is_wrong_is_one_clear_line(run: Run, video: Path, words: Sequence[str], said: str) -> None:
    """Before anything is started."""
    assert video.is_file()
    error = failure(run(*words))
    assert isinstance(error, BadInput | NotFound)
    assert said in str(error)
    assert "/" not in str(error).replace("and/or", "")


@pytest.mark.parametrize("words", [["--gate", "maybe"], ["--least-severity", "safe"], ["--language", "fr"]])
def test_words_that_are_none_are_refused_by_the_command_line(run: Run, words: Sequence[str]) -> None:
    """With the words that are."""
    shown = run("gate-3", *words)
    assert shown.exit_code == 2
    assert "Invalid value" in shown.output


def test_the_whole_command_ends_with_one_line_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As people see it."""
    monkeypatch.setenv("EXT_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["timetravel", "backtest", "nobody"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 1
    assert capsys.readouterr().err.strip() == "NotFound: nothing has been analysed yet in this data folder"
