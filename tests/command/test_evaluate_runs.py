"""`timetravel eval` over many runs and groups: what is printed, what stands on the page, and that no name breaks either."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from extension import cli
from extension.command.evaluation_inputs import Wanted, answer_files, broken_list, gather, read_manifest
from extension.command.evaluation_json import FLAWS
from extension.errors import BadInput
from extension.timetravel.scoring_runs import BASE_AT, LogClock
from tests.command.evaluation_files import raw, written

SECONDS = {"10": [[1, 2]], "11": [[1, 2]], "30": [[1, 3]], "45": [[2, 3]]}
RIGHT = '[{"00:00:10": [1, 2]}, {"00:00:11": [1, 2]}, {"00:00:30": [1, 3]}, {"00:00:45": [2, 3]}]'
HALF = '[{"00:00:10": [1, 2]}, {"00:00:30": [1, 2]}]'


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Three contacts as a list of seconds."""
    return written(tmp_path / "truth.json", SECONDS)


def asked(*options: object) -> Result:
    """The command with these options."""
    return CliRunner().invoke(cli.app, ["eval", *map(str, options)], catch_exceptions=True)


def figures(folder: Path, *options: object) -> tuple[dict[str, Any], str]:
    """Figures and terminal."""
    result = asked(*options, "--json", folder / "out" / "f.json")
    assert result.exit_code == 0, (result.output, result.exception)
    page: dict[str, Any] = json.loads((folder / "out" / "f.json").read_text("utf-8"))
    return page, result.output


def evaluated(folder: Path, *options: object) -> tuple[dict[str, Any], str, str]:
    """Figures, page and terminal."""
    page, said = figures(folder, *options, "--report", folder / "out" / "p.html")
    return page, (folder / "out" / "p.html").read_text("utf-8"), said


def refused(*options: object) -> str:
    """What the command complains of."""
    result = asked(*options)
    assert isinstance(result.exception, BadInput), (result.output, result.exception)
    return str(result.exception)


class Page(HTMLParser):
    """Cells and sentences of a page, and everything that it would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.bad: list[str] = []
        self._in_cell = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note cells, and elements that a report has no use for."""
        if tag in ("script", "iframe", "object", "embed", "link", "img", "form", "base"):
            self.bad.append(tag)
        self.bad += [name for name, _ in attrs if name.startswith("on")]
        self.bad += [str(v) for k, v in attrs if k.endswith(("href", "src")) and not str(v).startswith("#")]
        if tag == "td":
            self._in_cell += 1
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave the cell."""
        self._in_cell -= tag == "td"

    def handle_data(self, data: str) -> None:
        """Text of a cell."""
        if self._in_cell:
            self.cells[-1] += data


def test_several_runs_are_summed_and_spread(tmp_path: Path, truth: Path) -> None:
    """Two perfect runs and a half one: counts add up, the mean stands beside with its deviation."""
    for number, said in enumerate((RIGHT, RIGHT, HALF)):
        written(tmp_path / "in" / f"m_video_{number}_20250101_000000.json", raw(said, id=f"r{number}"))
    page, text = figures(tmp_path, "--truth", truth, "--answers", tmp_path / "in")
    (group,) = page["groups"]
    assert (group["runs"], group["contacts"]) == (3, 9)
    assert (group["att"]["matched"], group["att"]["false_alarms"], group["att"]["missed"]) == (7, 1, 2)
    assert group["att"]["f1_runs"]["mean"] == pytest.approx((1 + 1 + 0.4) / 3)
    assert group["att"]["f1_ci"]["low"] < group["att"]["f1"] <= group["att"]["f1_ci"]["high"]
    assert "3 runs, 9 true contacts" in text
    assert "0.80 ± 0.35" in text


def test_a_single_run_has_no_interval_anywhere(tmp_path: Path, truth: Path) -> None:
    """Nulls in the figures, blanks in the table."""
    page, html, text = evaluated(
        tmp_path, "--truth", truth, "--answers", written(tmp_path / "a.json", raw(HALF))
    )
    (group,) = page["groups"]
    for way in ("att", "det", "strict_att", "strict_det"):
        assert {group[way][f"{figure}_ci"] for figure in ("precision", "recall", "f1", "macro_f1")} == {None}
    assert "1 run, 3 true contacts" in text
    assert "<b>1 run</b>" in html
    assert '<span class="ci">[' not in html


def test_three_groups_are_compared_by_pairs(tmp_path: Path, truth: Path) -> None:
    """Adjusted p is at least the plain one, and no difference is no evidence."""
    for name, said in (("good", RIGHT), ("twin", RIGHT), ("poor", "[]")):
        for number in range(4):
            written(
                tmp_path / name / f"m_video_{number}_20250101_000000.json", raw(said, id=f"{name}{number}")
            )
    given = [part for name in ("good", "twin", "poor") for part in ("--answers", f"{name}={tmp_path / name}")]
    page, text = figures(tmp_path, "--truth", truth, *given)
    found = {(one["one"], one["other"]): one for one in page["compared"]}
    assert set(found) == {("good", "poor"), ("good", "twin"), ("poor", "twin")}
    assert all(one["p_holm"] >= one["p"] for one in found.values())
    assert (found["good", "twin"]["difference"], found["good", "twin"]["p"]) == (0.0, 1.0)
    assert found["good", "poor"]["difference"] == 1.0
    assert "good against poor: F1 +1.000 over 4 videos" in text
    assert "good against twin: F1 +0.000" in text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "x' onload='y&\"", "[red]bold[/red]"])
def test_names_from_files_are_only_text(tmp_path: Path, truth: Path, name: str) -> None:
    """Group, model, video and objects: on the page as in the terminal."""
    said = raw(f'[{{"00:00:20": [{json.dumps(name)}, "2"]}}]', "prose", model=name, video=f"{name}.mp4")
    page, html, _ = evaluated(
        tmp_path, "--truth", truth, "--answers", written(tmp_path / "in" / "a.json", said)
    )
    read = Page(html)
    assert read.bad == []
    assert page["groups"][0]["name"] == name
    assert any(name in cell for cell in read.cells)


def test_names_of_groups_are_not_markup_in_the_terminal(tmp_path: Path, truth: Path) -> None:
    """A bracket in a warning is a bracket."""
    file = written(tmp_path / "in" / "[bold]x.json", {"10": [[1, 2]], "4000": [[1, 2]]})
    _, text = figures(tmp_path, "--truth", truth, "--answers", file)
    assert "[bold]x.json" in text


def test_charts_of_a_page_are_xml_with_ids_of_their_own(tmp_path: Path, truth: Path) -> None:
    """Every picture can be cut out; no id is there twice."""
    written(tmp_path / "in" / "a_video_1_20250101_000000.json", raw(HALF, id="a", model="a"))
    written(tmp_path / "in" / "b_video_2_20250101_000000.json", raw(RIGHT, id="b", model="b"))
    _, html, _ = evaluated(tmp_path, "--truth", truth, "--answers", tmp_path / "in")
    pictures = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(pictures) == 5
    for picture in pictures:
        ET.fromstring(picture)  # noqa: S314 - drawn by ourselves
    families = [set(re.findall(r'id="([a-z]+)-', picture)) for picture in pictures]
    assert all(len(family) == 1 for family in families)


def test_runs_of_many_videos_are_not_all_drawn(tmp_path: Path, truth: Path) -> None:
    """The page says how many are left out; the figures have all."""
    for number in range(14):
        written(tmp_path / "in" / f"m_video_{number}_20250101_000000.json", raw("[]", id=f"r{number}"))
    page, html, text = evaluated(tmp_path, "--truth", truth, "--answers", tmp_path / "in")
    assert page["runs"] == 14
    assert "2 videos more not drawn" in html
    assert "Misses and false alarms (42)" in html
    assert "and 30 more; --report lists them all" in text


def test_a_perfect_run_has_nothing_to_list(tmp_path: Path, truth: Path) -> None:
    """And says so."""
    page, html, text = evaluated(
        tmp_path, "--truth", truth, "--answers", written(tmp_path / "a.json", raw(RIGHT))
    )
    assert "<h2>Misses and false alarms</h2><p>None.</p>" in html
    assert "Answers that could not be used: 0 of 1" in text
    assert (page["groups"][0]["att"]["f1"], page["notes"], page["not_read"]) == (1.0, [], [])


def test_failed_chunks_stand_on_the_page_with_their_reasons(tmp_path: Path, truth: Path) -> None:
    """Escaped, one line each; they are failures, not calm."""
    said = raw("<b>I see nothing</b>", "", RIGHT)
    said["chunk_responses"][1]["error"] = "HTTP 502 <html>"
    page, html, text = evaluated(tmp_path, "--truth", truth, "--answers", written(tmp_path / "a.json", said))
    (run,) = page["groups"][0]["single_runs"]
    assert [one["where"] for one in run["failed"]] == ["chunk at 0 s", "chunk at 2 s"]
    assert "Answers that could not be used (2)" in html
    assert "HTTP 502 &lt;html&gt;" in html
    assert "Answers that could not be used: 2 of 3" in text


def test_a_truth_without_contacts_is_met_by_silence(tmp_path: Path) -> None:
    """Every figure is 1 by definition; one report is a false alarm with a bound."""
    calm = written(tmp_path / "calm.json", {"threshold_cm": 100, "duration_s": 3600, "contacts": []})
    page, _ = figures(tmp_path, "--truth", calm, "--answers", written(tmp_path / "a.json", raw("[]")))
    group = page["groups"][0]
    assert (group["att"]["f1"], group["att"]["precision"], group["onset"]) == (1.0, 1.0, None)
    rate = group["false_alarms_per_log_hour"]
    assert (rate["per_hour"], rate["hours"]) == (0.0, 1.0)
    assert rate["bound_per_hour"] == pytest.approx(2.996, abs=0.001)
    page, _ = figures(tmp_path, "--truth", calm, "--answers", written(tmp_path / "a.json", raw(HALF)))
    assert page["groups"][0]["att"]["false_alarms"] == 2
    assert page["threshold_cm"] == [100.0]


def test_bad_files_alone_are_no_runs(tmp_path: Path, truth: Path) -> None:
    """With --skip-bad as without: zero runs are no evaluation."""
    written(tmp_path / "in" / "bad.json", "{")
    assert "bad.json: line 1: not JSON" in refused("--truth", truth, "--answers", tmp_path / "in")
    assert refused("--truth", truth, "--answers", tmp_path / "in", "--skip-bad") == (
        "no file of answers could be read"
    )


def test_bad_files_are_named_on_the_page_and_in_the_terminal(tmp_path: Path, truth: Path) -> None:
    """Whoever reads the figures sees what they leave out."""
    written(tmp_path / "in" / "<i>bad.json", "{")
    written(tmp_path / "in" / "good.json", raw(RIGHT))
    page, html, text = evaluated(tmp_path, "--truth", truth, "--answers", tmp_path / "in", "--skip-bad")
    assert page["not_read"] == [
        "<i>bad.json: line 1: not JSON (Expecting property name enclosed in double quotes)"
    ]
    assert "Not read: &lt;i&gt;bad.json" in html
    assert "not read: <i>bad.json" in text


def test_many_bad_files_are_counted() -> None:
    """Twenty by name."""
    said = broken_list([f"f{n}.json: broken" for n in range(25)])
    assert said.endswith("f19.json: broken; and 5 more")


def test_the_same_seed_gives_the_same_figures(tmp_path: Path, truth: Path) -> None:
    """Another one other intervals at most."""
    for number, said in enumerate((RIGHT, HALF, "[]", HALF)):
        written(tmp_path / "in" / f"m_video_{number}_20250101_000000.json", raw(said, id=f"r{number}"))
    given = ("--truth", truth, "--answers", tmp_path / "in")
    (once, _), (again, _), (other, _) = (figures(tmp_path, *given, "--seed", seed) for seed in (3, 3, 4))
    assert once == again
    assert once["groups"][0]["att"]["f1"] == other["groups"][0]["att"]["f1"]
    assert other["seed"] == 4


@pytest.mark.parametrize(("tolerance", "matched"), [(0, 0), (1, 1), (2.5, 2)])
def test_the_tolerance_is_the_one_asked_for(
    tmp_path: Path, truth: Path, tolerance: float, matched: int
) -> None:
    """Reports one and two seconds late."""
    late = raw('[{"00:00:12": [1, 2]}, {"00:00:33": [1, 3]}]')
    page, text = figures(
        tmp_path, "--truth", truth, "--tolerance", tolerance, "--answers", written(tmp_path / "a.json", late)
    )
    assert page["groups"][0]["att"]["matched"] == matched
    assert page["tolerance_s"] == tolerance
    assert f"when+who {tolerance:g} s" in text


def test_all_flaws_of_the_other_score_are_named_once(tmp_path: Path, truth: Path) -> None:
    """Beside its figures, in the JSON file as on the page."""
    page, html, _ = evaluated(
        tmp_path, "--truth", truth, "--answers", written(tmp_path / "a.json", raw(HALF))
    )
    assert page["predecessor_flaws"] == list(FLAWS)
    assert len(set(FLAWS)) == len(FLAWS)
    assert html.count("<li>") == len(FLAWS) + 1


@pytest.mark.parametrize("spelling", ["video_1", "video_1.mp4"])
def test_a_manifest_names_videos_with_or_without_their_ending(
    tmp_path: Path, truth: Path, spelling: str
) -> None:
    """As people have them in their folders."""
    manifest = written(tmp_path / "v.yaml", f"videos:\n  {spelling}: {{truth: {truth.name}}}\n")
    answers = written(tmp_path / "in" / "m_video_1_20250101_000000.json", raw(RIGHT))
    page, _ = figures(tmp_path, "--videos", manifest, "--answers", answers)
    assert page["groups"][0]["att"]["f1"] == 1.0


def test_of_names_that_fit_the_longest_counts(tmp_path: Path) -> None:
    """`yard_2` is not `yard`; `yard_21` is neither."""
    for name, pair in (("one", "12"), ("two", "34")):
        written(tmp_path / f"{name}.json", {"10": [list(pair)]})
    text = "videos:\n  yard: {truth: one.json}\n  yard_2: {truth: two.json}\n"
    wanted = Wanted(((None, tmp_path / "in"),), 100.0, LogClock(BASE_AT).tz, 1.0)
    truths = read_manifest(written(tmp_path / "v.yaml", text), wanted)
    for stem in ("answers-yard", "answers-yard_2", "answers-yardstick"):
        written(tmp_path / "in" / f"{stem}.json", {"10": [[1, 2]]})
    gathered = gather(wanted, truths)
    assert {run.answers.name: run.truth.name for run in gathered.runs} == {
        "answers-yard.json": "one.json",
        "answers-yard_2.json": "two.json",
    }
    assert len(gathered.broken) == 1
    assert "answers-yardstick.json: its video is not in the manifest" in gathered.broken[0]


def test_one_truth_file_is_read_once_however_many_videos_have_it(tmp_path: Path, truth: Path) -> None:
    """Unless they begin at different times."""
    text = (
        f"contact_cm: 80\nvideos:\n  a: {{truth: {truth.name}}}\n  b: {{truth: {truth.name}, speed: 3}}\n"
        f"  c: {{truth: {truth.name}, start: 2025-03-01 00:00:00}}\n"
    )
    wanted = Wanted((), 100.0, LogClock(BASE_AT).tz, 1.0)
    found = read_manifest(written(tmp_path / "v.yaml", text), wanted)
    assert found["a"].truth is found["b"].truth
    assert found["a"].truth is not found["c"].truth
    assert (found["b"].speed, found["c"].truth.clock.start_at.month) == (3.0, 3)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "Input should be"),
        ("videos: 3", "videos: Input should be a valid dictionary"),
        ("videos: {v: {truth: t.json, start: yesterday}}", "videos.v.start: "),
        ("videos: {v: {truth: truth.json}}\ncontact_cm: -1", "contact_cm: Input should be greater than 0"),
        ("videos: {v: {truth: truth.json}}\nmore: 1", "more: Extra inputs"),
        ("videos: !!python/object/apply:os.system [true]", "not YAML"),
        ("videos: {v: {truth: ../}}", "cannot be read"),
    ],
)
def test_manifests_that_make_no_sense_are_refused(
    tmp_path: Path, truth: Path, text: str, complaint: str
) -> None:
    """By file and place."""
    assert truth.is_file()
    wanted = Wanted((), 100.0, LogClock(BASE_AT).tz, 1.0)
    with pytest.raises(BadInput) as told:
        read_manifest(written(tmp_path / "v.yaml", text), wanted)
    assert complaint in str(told.value)


@pytest.mark.parametrize(
    ("read", "kept"),
    [("raw", "r.json"), ("intermediate", "r_intermediate.jsonl"), ("eventlist", "r_eventlist.jsonl")],
)
def test_one_file_of_each_run_is_kept(tmp_path: Path, read: str, kept: str) -> None:
    """The kind that was asked for; a run that lacks it gives what it has."""
    for name in ("r.json", "r_intermediate.jsonl", "r_eventlist.jsonl", "lonely_processed.jsonl"):
        written(tmp_path / name, "{}")
    found, left_out = answer_files(tmp_path, read)
    assert {path.name for path in found} == {kept, "lonely_processed.jsonl"}
    assert left_out == 2
