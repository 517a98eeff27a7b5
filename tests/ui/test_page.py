"""The page in a real browser: what a visitor clicks does what it should."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from extension.api import create_app
from extension.model import JobStatus, VlmUse
from extension.ui import mount_ui
from extension.ui.words import EN, KO
from tests.api import samples
from tests.api.harness import Desk, StillClock, bound, make_desk, served
from tests.api.memory_shelf import MemoryShelf
from tests.ui.scene import HOSTILE, JOB, fill, fill_summary

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: apt-get install chromium"),
    # Gradio's queue sets this pandas option at each event; it is theirs to drop.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000


@dataclasses.dataclass
class Site:
    """A service with its page on a real server."""

    address: str
    shelf: MemoryShelf
    desk: Desk
    clip: Path
    asks_at: list[str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One service for all tests of this module; each leaves the judged job as it was."""
    folder = tmp_path_factory.mktemp("site")
    clip = samples.draw_clip(folder / "yard.mp4")
    clock = StillClock()
    shelf = MemoryShelf(clock)
    desk = make_desk(shelf, clock, folder)
    fill(shelf, clip, desk.services.outputs_dir)
    fill_summary(shelf, clip, desk.services.outputs_dir)
    listener = bound()
    asks_at = [f"http://127.0.0.1:{listener.getsockname()[1]}"]
    with served(mount_ui(create_app(desk.services, "1.2.3"), lambda: asks_at[0]), listener) as address:
        yield Site(address, shelf, desk, clip, asks_at)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextlib.contextmanager
def visitor(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens the page as some visitor would, and checks afterwards that nothing left the machine."""
    strangers: list[str] = []
    own = (site.address, "data:", "blob:")
    with contextlib.ExitStack() as stack:

        def opened(query: str = "", width: int = 1280, **context: Any) -> Page:
            page = stack.enter_context(
                contextlib.closing(browser.new_context(viewport={"width": width, "height": 800}, **context))
            ).new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("request", lambda r: None if r.url.startswith(own) else strangers.append(r.url))
            page.on("pageerror", lambda error: strangers.append(str(error)))
            page.goto(f"{site.address}/ui/{query}")
            shown = page.locator("#tt-progress .tt-progress, #tt-progress .tt-empty").first
            expect(shown).to_be_visible(timeout=PATIENCE_MS)
            return page

        yield opened
    assert strangers == []


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """A visitor of one test's own."""
    with visitor(browser, site) as opened:
        yield opened


@pytest.fixture(scope="module")
def reader(browser: Browser, site: Site) -> Iterator[Page]:
    """One open page for the tests that only read, seek and ask."""
    with visitor(browser, site) as opened:
        yield opened()


def seeked_to(page: Page, second: float) -> None:
    """Wait until the player shows that second."""
    page.wait_for_function(
        "s => { const v = document.querySelector('#tt-player video'); return !v.seeking && Math.abs(v.currentTime - s) < 0.05; }",
        arg=second,
    )


def test_a_click_on_an_event_seeks_the_player(reader: Page) -> None:
    """The player jumps to the event's second, and the row is marked while it is shown."""
    page = reader
    rows = page.locator("#tt-events tbody tr")
    expect(rows).to_have_count(3)
    rows.nth(2).click()
    seeked_to(page, 12.1)
    expect(rows.nth(2)).to_have_class("tt-row tt-now")
    rows.nth(0).focus()
    page.keyboard.press("Enter")
    seeked_to(page, 4.2)
    expect(rows.nth(2)).to_have_class("tt-row")
    page.locator("#tt-incidents tbody tr").nth(1).click()
    seeked_to(page, 12.1)
    page.locator("#tt-failures .tt-chip").first.click()
    seeked_to(page, 6.0)
    page.locator("#tt-timeline .tt-mark").nth(1).click()
    seeked_to(page, 7.4)


def test_what_the_vlm_wrote_is_shown_and_not_run(reader: Page) -> None:
    """Markup, template holes and scripts in a description stay letters."""
    page = reader
    expect(page.locator("#tt-events tbody tr").nth(1).locator(".tt-c-description")).to_have_text(HOSTILE)
    assert page.locator("#tt-events img").count() == 0
    assert page.title() == EN["title"]


def test_a_question_is_answered_with_citations_that_seek(reader: Page, site: Site) -> None:
    """Enter or the button asks; the chip moves the player."""
    page = reader
    question = page.locator("#tt-question textarea, #tt-question input").first
    question.fill("When do 3 and 7 collide?")
    page.locator("#tt-ask-button").click()
    expect(page.locator(".tt-answer-text")).to_have_text("You asked: When do 3 and 7 collide?")
    assert site.desk.asked[-1] == (JOB, "When do 3 and 7 collide?")
    page.locator(".tt-answer .tt-chip").click()
    seeked_to(page, 12.5)
    question.fill("And then?")
    question.press("Enter")
    expect(page.locator(".tt-answer-text")).to_have_count(2)
    expect(page.locator(".tt-answer-text").first).to_have_text("You asked: And then?")


def test_incidents_failures_and_files_are_listed(reader: Page) -> None:
    """Alerts per incident, failed chunks in words, output files to take home."""
    page = reader
    fire = page.locator("#tt-incidents tbody tr").nth(1)
    expect(fire).to_contain_text("hook: sent \N{MULTIPLICATION SIGN}2")
    expect(fire).to_contain_text("phone: given up")
    expect(fire).to_contain_text("403 Forbidden")
    expect(page.locator("#tt-failures li")).to_have_count(2)
    expect(page.locator("#tt-header .tt-notice")).to_contain_text("stands in for a language model")
    with page.expect_download() as download:
        page.locator("#tt-outputs a[download='events.jsonl']").click()
    assert Path(download.value.path()).read_text() == '{"a": 1}\n'


def test_a_bad_upload_shows_the_reason_and_a_good_one_its_job(
    visit: Callable[..., Page], site: Site, tmp_path: Path
) -> None:
    """The API's own sentence; then the new job, waiting, with its video in the player."""
    page = visit()
    page.locator("#tt-another button").first.click()
    form = page.locator(".tt-upload")
    form.locator("button").click()
    expect(form.locator(".tt-message")).to_have_text(EN["choose"])
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a video")
    form.locator("[name=video]").set_input_files(bad)
    form.locator("button").click()
    expect(form.locator(".tt-message")).to_have_text(f"{EN['refused']}notes.mp4: not a video")
    form.locator("[name=video]").set_input_files(samples.draw_clip(tmp_path / "새 영상.mp4", 2))
    form.locator("[name=speed]").fill("3")
    form.locator("button").click()
    expect(page.locator("#tt-progress .tt-status")).to_have_text(EN["queued"])
    job = site.shelf.jobs()[0]
    del site.shelf.kept[job.id]
    assert (job.name, job.options.speed) == ("새 영상.mp4", 3.0)
    assert job.id in str(page.locator("#tt-player video").get_attribute("src"))


def test_a_log_alone_is_sent_from_the_page(visit: Callable[..., Page], site: Site, tmp_path: Path) -> None:
    """With the choices made; its replay is drawn by the service."""
    page = visit()
    page.locator("#tt-another button").first.click()
    form = page.locator(".tt-upload")
    log = tmp_path / "yard.csv"
    log.write_text("timestamp,objid,x,y,z\n")
    form.locator("[name=trajectory]").set_input_files(log)
    form.locator("[name=vlm]").select_option("candidates")
    form.locator("[name=level]").select_option("full")
    form.locator("[name=prompt]").select_option("twin_view")
    form.locator("button").click()
    expect(page.locator("#tt-progress .tt-status")).to_have_text(EN["queued"])
    job = site.shelf.jobs()[0]
    del site.shelf.kept[job.id]
    options = job.options
    assert (job.name, job.media_path) == ("yard.mp4", "")
    assert (options.vlm, options.level, options.prompt) == (VlmUse.CANDIDATES, "full", "twin_view")


def test_progress_follows_the_work_without_a_reload(visit: Callable[..., Page], site: Site) -> None:
    """Waiting, running, done with a failure, and again on the visitor's wish; the player is left alone."""
    fresh = samples.job("fresh", media=site.clip, status=JobStatus.QUEUED, chunk_count=None, finished_at=None)
    site.shelf.add_job(fresh)
    try:
        page = visit()
        expect(page.locator("#tt-progress")).to_contain_text(EN["waiting_text"])
        page.evaluate("document.querySelector('#tt-player video').currentTime = 3")
        site.shelf.next_job()
        site.shelf.plan_job("fresh", media_s=20.0, chunk_count=4, model="m")
        site.shelf.save_captions("fresh", [samples.caption(0), samples.caption(1, failed=True)])
        site.shelf.commit_judgement("fresh", judged_chunks=2, events=[], incidents=[], messages=[])
        expect(page.locator("#tt-progress")).to_contain_text("1 of 4 chunks answered · 2 judged · 1 failed")
        expect(page.locator("#tt-events")).to_contain_text(EN["events_none_yet"])
        site.shelf.finish_job("fresh", JobStatus.DONE)
        expect(page.locator("#tt-events")).to_contain_text(EN["events_none_failed"])
        page.locator("#tt-retry").click()
        expect(page.locator("#tt-progress .tt-status")).to_have_text(EN["queued"])
        assert site.shelf.requeued == ["fresh"]
        seeked_to(page, 3.0)
    finally:
        del site.shelf.kept["fresh"]


def test_another_job_is_chosen_from_the_list(visit: Callable[..., Page]) -> None:
    """Its error is shown in full, and its video's absence in plain words."""
    page = visit()
    page.locator("#tt-picker input").click()
    page.get_by_role("option", name="gone.mp4").click()
    expect(page.locator("#tt-progress .tt-notice-bad")).to_have_text("gone.mp4: the file ends too early")
    expect(page.locator("#tt-player .tt-no-play")).to_have_text(EN["no_play"])
    expect(page.locator("#tt-incidents")).to_contain_text(EN["incidents_none"])


def test_an_absent_service_is_said_so_until_it_is_back(visit: Callable[..., Page], site: Site) -> None:
    """What was shown stays; a question meanwhile gets an answer in words."""
    page = visit()
    site.shelf.redeliver("m1", samples.BEGIN)
    right = site.asks_at[0]
    try:
        with bound() as closed:
            site.asks_at[0] = f"http://127.0.0.1:{closed.getsockname()[1]}"
            expect(page.locator("#tt-header .tt-notice-bad")).to_have_text(EN["away"])
            expect(page.locator("#tt-events tbody tr")).to_have_count(3)
            page.locator("#tt-question textarea, #tt-question input").first.fill("Hello?")
            page.locator("#tt-ask-button").click()
            expect(page.get_by_test_id("toast-body")).to_contain_text("does not answer")
    finally:
        site.asks_at[0] = right
        site.shelf.mark_sent("m1", samples.BEGIN)
    expect(page.locator("#tt-header .tt-about")).to_contain_text("test-model")


def test_a_link_to_a_job_opens_it(visit: Callable[..., Page]) -> None:
    """?job= names the job to show."""
    page = visit("?job=old")
    expect(page.locator("#tt-progress .tt-status")).to_have_text(EN["failed"])


def test_a_korean_browser_gets_korean(visit: Callable[..., Page]) -> None:
    """Labels that Gradio writes and tables that we write alike."""
    page = visit(locale="ko-KR")
    expect(page.locator("#tt-header h1")).to_have_text(KO["title"])
    expect(page.locator("#tt-ask-button")).to_have_text(KO["ask_button"])
    expect(page.locator("[data-step='1']")).to_contain_text(KO["next_event"])
    expect(page.locator("#tt-summary .tt-lead")).to_contain_text("장면 2건을 찾았습니다")
    expect(page.locator("#tt-picker")).to_contain_text(KO["stored"])
    expect(page.locator("#tt-events tbody tr").first).to_contain_text(KO["collision"])
    question = page.locator("#tt-question textarea, #tt-question input").first
    expect(question).to_have_attribute("placeholder", KO["ask_placeholder"])


def test_on_a_phone_rows_are_cards_and_nothing_sticks_out(visit: Callable[..., Page]) -> None:
    """The page itself never scrolls sideways."""
    page = visit(width=390)
    expect(page.locator("#tt-events tbody tr")).to_have_count(3)
    expect(page.locator("#tt-events thead")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_desk_rows_are_a_table_and_nothing_sticks_out(reader: Page) -> None:
    """The player stands beside the events."""
    expect(reader.locator("#tt-events thead")).to_be_visible()
    assert reader.evaluate("document.documentElement.scrollWidth") <= 1280
    player, events = (reader.locator(name).bounding_box() for name in ("#tt-player", "#tt-events"))
    assert player is not None
    assert events is not None
    assert player["x"] + player["width"] <= events["x"]


def now_s(page: Page) -> float:
    """The second that the player shows."""
    return float(page.evaluate("document.querySelector('#tt-player video').currentTime"))


def test_the_summary_is_told_and_shown(reader: Page) -> None:
    """In words, as a picture of the timeline, and as a video that can be played; each is a file of the job."""
    summary = reader.locator("#tt-summary")
    expect(summary.locator("h2")).to_contain_text(EN["summary"])
    expect(summary.locator(".tt-lead")).to_have_text(
        "2 moments were found: 1 collision and 1 fire (1 extreme and 1 danger)."
    )
    expect(summary).to_contain_text("2 chunks could not be judged (VlmGarbled 2)")
    summary.locator("img").scroll_into_view_if_needed()
    reader.wait_for_function("document.querySelector('#tt-summary img').naturalWidth > 900")
    reader.wait_for_function("document.querySelector('#tt-summary video').videoWidth === 320")
    expect(summary.locator("figure")).to_have_count(2)


def test_next_event_begins_with_the_first_and_leaves_none_out(visit: Callable[..., Page]) -> None:
    """Each a little before it begins; at either end the step stays where it is."""
    page = visit()
    step = {by: page.locator(f"[data-step='{by}']") for by in ("-1", "1")}
    for by, second in (("1", 2.2), ("1", 10.1), ("1", 10.1), ("-1", 2.2), ("-1", 2.2), ("1", 10.1)):
        step[by].click()
        seeked_to(page, second)


def test_steps_go_on_from_where_the_visitor_is(visit: Callable[..., Page]) -> None:
    """After a click on a row, a step leads to the event after it, or before it."""
    page = visit()
    rows = page.locator("#tt-events tbody tr")
    rows.nth(1).click()
    seeked_to(page, 7.4)
    page.locator("[data-step='1']").click()
    seeked_to(page, 10.1)
    rows.nth(1).click()
    seeked_to(page, 7.4)
    page.locator("[data-step='-1']").click()
    seeked_to(page, 2.2)


def test_the_visitor_chooses_how_much_comes_before(visit: Callable[..., Page]) -> None:
    """Never before the first frame, and the first event is still the first step."""
    page = visit()
    page.locator("#tt-steps [name=pre_roll]").fill("5")
    page.locator("[data-step='1']").click()
    seeked_to(page, 0.0)
    page.locator("[data-step='1']").click()
    seeked_to(page, 7.1)
    page.locator("#tt-steps [name=pre_roll]").fill("0")
    page.locator("[data-step='-1']").click()
    seeked_to(page, 4.2)


def test_only_the_events_are_played_and_then_it_stops(visit: Callable[..., Page]) -> None:
    """It begins with the first event, jumps over what lies between, and stops after the last."""
    page = visit()
    page.evaluate(
        """() => {
            const video = document.querySelector('#tt-player video');
            video.currentTime = 16; video.playbackRate = 4; video.muted = true; window.shown = [];
            video.addEventListener('timeupdate', () => { if (!video.seeking) window.shown.push(video.currentTime); });
        }"""
    )
    seeked_to(page, 16.0)
    page.locator("#tt-steps [name=only_events]").check()
    page.wait_for_function(
        "() => { const v = document.querySelector('#tt-player video'); return v.paused && v.currentTime > 13; }"
    )
    assert now_s(page) == pytest.approx(13.1, abs=0.7)
    shown = [second for second in page.evaluate("window.shown") if second != 16.0]
    assert min(shown) == pytest.approx(2.2, abs=0.7)
    between = [second for second in shown if 5.9 < second < 10.05]
    assert between == []
    assert any(2.1 < second < 5.9 for second in shown)
    assert any(second >= 10.05 for second in shown)


def test_a_job_without_events_can_be_stepped_through_without_harm(visit: Callable[..., Page]) -> None:
    """Nothing happens, and nothing breaks (the visitor's console stays empty)."""
    page = visit("?job=old")
    expect(page.locator("#tt-progress")).to_contain_text(
        EN["failed"]
    )  # its findings are there, none of them an event
    page.locator("[data-step='1']").click()
    page.locator("#tt-steps [name=only_events]").check()
    assert now_s(page) == 0


def test_gradio_itself_takes_and_gives_no_files(site: Site, tmp_path: Path) -> None:
    """Its upload route refuses more than a scrap, its file route serves nothing of this machine."""
    big = {"files": ("a.mp4", b"x" * 100_000)}
    refused = requests.post(f"{site.address}/ui/gradio_api/upload", files=big, timeout=10)
    assert refused.status_code == 413
    (tmp_path / "secret.txt").write_text("secret")
    for path in (tmp_path / "secret.txt", site.clip, Path.cwd() / "pyproject.toml", Path("/etc/passwd")):
        assert requests.get(f"{site.address}/ui/gradio_api/file={path}", timeout=10).status_code == 403


def test_the_bare_address_leads_to_the_page(site: Site) -> None:
    """Nobody has to know where it is."""
    answer = requests.get(f"{site.address}/", timeout=10)
    assert answer.url == f"{site.address}/ui/"
    assert EN["title"] in answer.text


def test_the_page_offers_no_functions_of_its_own(site: Site) -> None:
    """Programs use the REST API; the page's callbacks are not a second one."""
    info = requests.get(f"{site.address}/ui/gradio_api/info", timeout=10).json()
    assert info == {"named_endpoints": {}, "unnamed_endpoints": {}}
