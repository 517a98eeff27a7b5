"""The summary and the steps as HTML: every word escaped, only files that are there, nothing while a job goes on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extension.timetravel.summary_tongues import Language
from extension.timetravel.summary_wire import SummaryOut
from extension.ui import digest
from extension.ui.words import EN, KO
from extension.wire import IncidentOut, JobOut
from tests.api import samples
from tests.timetravel.summary_samples import incident, summary_of
from tests.ui.test_views import Reader

JOB = JobOut.of(samples.job())
ALL = ["heatmap.png", "summary.en.md", "summary.mp4", "timeline.png"]


def page(text: str = "1", language: Language = Language.EN) -> SummaryOut:
    """A summary in which a name is that text."""
    return SummaryOut.of(summary_of([incident(0, objects=(text, "2"))], name=text), language)


def addresses(html: str) -> list[str]:
    """Where the elements of a page point to."""
    return [a["src"] or "" for a in Reader(html).attributes if "src" in a]


def test_every_sentence_is_shown() -> None:
    """The first stands out."""
    found = page()
    reader = Reader(digest.summary(JOB, found, [], EN))
    assert [*found.sentences] == reader.texts[-len(found.sentences) :]
    assert {"class": "tt-lead"} in reader.attributes


def test_pictures_and_video_are_shown_where_there_are_any() -> None:
    """By the API's addresses, and those only."""
    html = digest.summary(JOB, page(), ALL, EN)
    assert [address.split("?")[0] for address in addresses(html)] == [
        f"../api/v1/jobs/job-1/outputs/{name}" for name in ("summary.mp4", "timeline.png", "heatmap.png")
    ]
    assert addresses(digest.summary(JOB, page(), ["events.jsonl"], EN)) == []
    assert len(addresses(digest.summary(JOB, page(), ["timeline.png"], EN))) == 1


def test_pictures_say_what_they_show() -> None:
    """To people who do not see them, in the language of the page."""
    for words in (EN, KO):
        reader = Reader(digest.summary(JOB, page(), ALL, words))
        assert [a["alt"] for a in reader.attributes if "alt" in a] == [
            words["chart_timeline"],
            words["chart_heat_map"],
        ]
        assert words["summary_video"] in reader.texts


def test_a_job_that_was_done_again_has_other_addresses() -> None:
    """A browser shows no picture of the first run."""
    later = JOB.model_copy(update={"finished_at": samples.BEGIN})
    assert addresses(digest.summary(JOB, page(), ALL, EN)) != addresses(
        digest.summary(later, page(), ALL, EN)
    )


def test_until_the_end_there_is_no_summary() -> None:
    """An empty place, not an empty summary."""
    assert digest.summary(JOB, None, ALL, EN) == ""


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_no_name_becomes_an_element(name: str) -> None:
    """Objects are what a VLM says they are; ids are parts of addresses."""
    hostile = f"<script>alert(1)</script>{name}<img onerror='x'>\""

    def tags(text: str) -> list[str]:
        job = JOB.model_copy(update={"id": text, "name": text})
        return Reader(digest.summary(job, page(text), ALL, EN)).tags

    assert tags(hostile) == tags("calm")


def test_ids_are_quoted_in_addresses() -> None:
    """Whatever they hold."""
    job = JOB.model_copy(update={"id": "a/b?c"})
    assert all(
        "/jobs/a%2Fb%3Fc/outputs/" in address for address in addresses(digest.summary(job, page(), ALL, EN))
    )


@pytest.mark.parametrize("words", [EN, KO], ids=["en", "ko"])
def test_steps_have_names_and_defaults(words: dict[str, str]) -> None:
    """Two seconds before, one second from its start on, as the predecessor played; all events until told otherwise."""
    reader = Reader(digest.steps(JOB, words))
    for key in ("previous_event", "next_event", "only_events", "pre_roll", "play_length"):
        assert words[key] in reader.text
    fields = {a["name"]: a for a in reader.attributes if "name" in a}
    assert fields["pre_roll"]["value"] == "2"
    assert fields["play_length"]["value"] == "1"
    assert "checked" not in fields["only_events"]
    assert [a["data-step"] for a in reader.attributes if "data-step" in a] == ["-1", "1"]


def test_without_a_video_there_are_no_steps() -> None:
    """Nothing to step through."""
    assert digest.steps(None, EN) == ""


def test_steps_are_the_same_for_every_job() -> None:
    """They are sent once: what a visitor typed stays."""
    assert digest.steps(JOB, EN) == digest.steps(JOB.model_copy(update={"id": "other", "name": "x"}), EN)


def test_moments_are_handed_over_by_time() -> None:
    """Starts and ends in media seconds, as JSON; none is no element."""
    found = [IncidentOut.of(incident(n, start, start + 1.5)) for n, start in enumerate((12.1, 4.2, 4.0))]
    (span,) = [a for a in Reader(digest.moments(found)).attributes if "data-moments" in a]
    assert json.loads(span["data-moments"] or "") == [[4.0, 5.5], [4.2, 5.7], [12.1, 13.6]]
    assert "hidden" in span
    assert digest.moments([]) == ""
