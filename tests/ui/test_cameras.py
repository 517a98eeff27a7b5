"""The cameras' tab in a real browser, over the real service and simulated cameras: what a visitor clicks does what it should."""

from __future__ import annotations

import contextlib
import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from extension.api import create_app
from extension.model import Origin
from extension.ui import mount_ui
from extension.ui.words import EN, KO
from tests.api.harness import StillClock, bound, make_desk, served
from tests.api.memory_shelf import MemoryShelf
from tests.ui.camera_site import GATE, HOSTILE, PRESS, CameraSite, camera_site

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no browser here: apt-get install chromium"),
    # Gradio's queue does these things with pandas at its events; they are theirs to drop.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CameraSite]:
    """One service for all tests of this module, with falls at both cameras that are over."""
    with camera_site(tmp_path_factory.mktemp("cameras")) as site:
        site.looked(2)
        site.looked(2, PRESS)
        site.calm = True
        site.wait_for(lambda: all(i.phase == "resolved" for n in (GATE, PRESS) for i in site.incidents(n)))
        yield site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextlib.contextmanager
def visitor(browser: Browser, site: CameraSite) -> Iterator[Callable[..., Page]]:
    """Opens the page as some visitor would; checks afterwards that nothing left the machine and the console is clean."""
    wrong: list[str] = []
    own = (site.address, "data:", "blob:")
    with contextlib.ExitStack() as stack:

        def opened(query: str, width: int = 1280, **context: Any) -> Page:
            page = stack.enter_context(
                contextlib.closing(browser.new_context(viewport={"width": width, "height": 800}, **context))
            ).new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("request", lambda r: None if r.url.startswith(own) else wrong.append(r.url))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on(
                "console", lambda m: wrong.append(f"{m.text} {m.location}") if m.type == "error" else None
            )
            page.goto(f"{site.address}/ui/{query}")
            expect(page.locator("#tt-header h1")).to_be_visible()
            return page

        yield opened
    assert wrong == []


@pytest.fixture
def visit(browser: Browser, site: CameraSite) -> Iterator[Callable[..., Page]]:
    """A visitor of one test's own."""
    with visitor(browser, site) as opened:
        yield opened


@pytest.fixture(scope="module")
def opened(browser: Browser, site: CameraSite) -> Iterator[Page]:
    """One open page for the tests that need no page of their own."""
    with visitor(browser, site) as opened:
        yield opened(f"?camera={GATE}")


@pytest.fixture
def page(opened: Page) -> Page:
    """That page, showing the gate, with nothing half drawn and no message on it."""
    if opened.locator("#tt-picture h2").inner_text() != GATE:
        row(opened, GATE).locator("button").click()
        expect(opened.locator("#tt-picture h2")).to_have_text(GATE)
    undo = opened.locator("[data-undo]")
    while undo.is_enabled():
        undo.click()
    opened.locator(".tt-zone-form").evaluate("form => form.reset()")
    for close in opened.get_by_test_id("toast-close").all():
        close.click()
    return opened


def row(page: Page, name: str) -> Locator:
    """The row of a camera that can be chosen."""
    return page.locator(f'#tt-cameras tr[data-camera="{name}"]')


def stage(page: Page) -> Locator:
    """The picture, once it is there."""
    expect(page.locator(".tt-stage img")).to_be_visible(timeout=PATIENCE_MS)
    return page.locator(".tt-stage")


def corners(page: Page, *shares: tuple[float, float]) -> None:
    """Click these places of the picture."""
    place = stage(page)
    box = place.bounding_box()
    assert box is not None
    for x, y in shares:
        place.click(position={"x": x * box["width"], "y": y * box["height"]})


def name_zone(page: Page, name: str, kind: str) -> None:
    """Fill in the form and save."""
    form = page.locator(".tt-zone-form")
    form.locator("[name=name]").fill(name)
    form.locator("[name=kind]").fill(kind)
    form.locator("[type=submit]").click()


def test_every_camera_is_listed_with_how_it_is(page: Page) -> None:
    """Those that record, the one that nobody answers for, the one whose name is taken."""
    expect(row(page, GATE)).to_contain_text("recording")
    expect(row(page, PRESS)).to_contain_text("h264 320x180")
    expect(row(page, "attic")).to_contain_text("nothing answers at this address")
    expect(page.locator("#tt-cameras tbody tr").nth(3)).to_contain_text(
        "another camera has this name already"
    )
    expect(row(page, GATE)).to_have_class("tt-cam-row tt-chosen")


def test_the_list_follows_the_cameras_without_a_reload(page: Page, site: CameraSite) -> None:
    """More is looked at while one watches; the row keeps the focus through it."""
    name = row(page, GATE).locator("button")
    name.focus()
    before = row(page, GATE).locator(".tt-c-windows").inner_text()
    expect(row(page, GATE).locator(".tt-c-windows")).not_to_have_text(before, timeout=PATIENCE_MS)
    expect(name).to_be_focused()
    assert site.camera().windows["looked"] > 2


def test_a_click_chooses_another_camera(page: Page) -> None:
    """Its picture, its incidents; by mouse or by keyboard."""
    stage(page)
    row(page, PRESS).locator(".tt-c-recorded").click()
    expect(page.locator("#tt-picture h2")).to_have_text(PRESS)
    expect(row(page, PRESS)).to_have_class("tt-cam-row tt-chosen")
    stage(page)
    row(page, GATE).locator("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#tt-picture h2")).to_have_text(GATE)


def test_the_picture_is_fresh(page: Page) -> None:
    """It is fetched again by itself, and says when it was taken."""
    assert stage(page).locator("img").evaluate("image => image.naturalWidth") == 320
    note = page.locator(".tt-stage-note")
    expect(note).to_contain_text("UTC")
    expect(note).not_to_have_text(note.inner_text(), timeout=PATIENCE_MS)


def test_a_zone_is_drawn_named_saved_and_removed(page: Page, site: CameraSite) -> None:
    """As shares of the picture; shown over it; gone again."""
    save = page.locator(".tt-zone-form [type=submit]")
    corners(page, (0.25, 0.25), (0.75, 0.25))
    expect(save).to_be_disabled()
    corners(page, (0.9, 0.9), (0.75, 0.75))
    expect(page.locator(".tt-corner")).to_have_count(4)
    page.locator("[data-undo]").click()
    page.locator("[data-undo]").click()
    corners(page, (0.75, 0.75), (0.25, 0.75))
    expect(save).to_be_disabled()
    name_zone(page, "Press 3", "no entry")
    expect(page.locator(".tt-zones li")).to_contain_text("Press 3 no entry")
    expect(page.locator(".tt-stage polygon")).to_have_count(1)
    expect(page.locator(".tt-corner")).to_have_count(0)
    expect(page.locator(".tt-zone-form [name=name]")).to_have_value("")
    (zone,) = site.api.brief(GATE).zones
    drawn = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]
    assert [pytest.approx(point, abs=0.01) for point in zone.points] == drawn
    page.locator("[data-remove='Press 3']").click()
    expect(page.locator(".tt-zones")).to_have_count(0)
    assert site.api.brief(GATE).zones == []


def test_a_zone_that_the_service_refuses_stays_to_be_mended(page: Page, site: CameraSite) -> None:
    """With the reason; nothing that was saved is lost."""
    row(page, PRESS).locator("button").click()
    expect(page.locator("#tt-picture h2")).to_have_text(PRESS)
    corners(page, (0.2, 0.2), (0.8, 0.8), (0.5, 0.5))
    name_zone(page, "A line", "no entry")
    expect(page.get_by_test_id("toast-body")).to_contain_text("the corners enclose nothing")
    expect(page.locator(".tt-corner")).to_have_count(3)
    assert site.api.brief(PRESS).zones == []
    corners(page, (0.2, 0.8))
    page.locator(".tt-zone-form [type=submit]").click()
    expect(page.locator(".tt-zones li")).to_have_count(1)
    site.api.drop_brief(PRESS)


def test_what_is_typed_is_not_taken_away_while_the_list_changes(page: Page, site: CameraSite) -> None:
    """Corners, names and notes stay through a look or two."""
    corners(page, (0.2, 0.2), (0.8, 0.2))
    page.locator(".tt-zone-form [name=name]").fill("Half")
    notes = page.locator("#tt-notes textarea")
    notes.fill("Not saved yet")
    looks = site.asked.count("cameras")
    site.wait_for(lambda: site.asked.count("cameras") >= looks + 3)
    expect(page.locator(".tt-corner")).to_have_count(2)
    expect(page.locator(".tt-zone-form [name=name]")).to_have_value("Half")
    expect(notes).to_have_value("Not saved yet")


def test_notes_are_saved_and_taken_back(page: Page, site: CameraSite) -> None:
    """Each camera has its own; the file's come back on wish."""
    notes = page.locator("#tt-notes textarea")
    stage(page)
    notes.fill("Steam from the press is normal.")
    page.locator("#tt-notes-save").click()
    site.wait_for(lambda: site.api.brief(GATE).notes == "Steam from the press is normal.")
    row(page, PRESS).locator("button").click()
    expect(notes).to_have_value("")
    row(page, GATE).locator("button").click()
    expect(notes).to_have_value("Steam from the press is normal.")
    page.locator("[data-reset]").click()
    expect(notes).to_have_value("")
    assert site.api.brief(GATE).origin == Origin.FILE


def test_a_click_on_an_incident_plays_its_clip(page: Page, site: CameraSite) -> None:
    """The video runs by itself; its files can be had; what the VLM wrote stays letters."""
    (incident,) = site.incidents()
    site.wait_for(lambda: any(link.name == "clip.mp4" for link in site.api.evidence(incident.id).links))
    line = page.locator("#tt-cam-incidents tr.tt-cam-row")
    expect(line).to_contain_text(HOSTILE)
    line.locator(".tt-c-what").click()
    page.wait_for_function(
        "() => { const v = document.querySelector('#tt-clip video'); return v && v.videoWidth === 320 && v.currentTime > 0.3; }"
    )
    with page.expect_download() as download:
        page.locator("#tt-clip a", has_text="clip.mp4").evaluate("a => { a.download = 'x.mp4'; a.click(); }")
    assert download.value.suggested_filename
    assert page.title() == EN["title"]
    assert page.locator("#tt-cam-incidents img").count() == 0


def test_an_address_leads_to_a_camera_and_its_incident(visit: Callable[..., Page], site: CameraSite) -> None:
    """As a message may carry it."""
    (incident,) = site.incidents(PRESS)
    page = visit(f"?camera={PRESS}&incident={incident.id}")
    expect(page.locator("#tt-picture h2")).to_have_text(PRESS)
    expect(page.locator("#tt-clip .tt-clip-line")).to_contain_text("fall")
    expect(page.locator("#tt-cam-incidents tr[aria-current]")).to_have_count(1)


def test_an_alert_is_explained(page: Page) -> None:
    """The button of an incident asks about its time; the answer is there word for word."""
    page.locator("#tt-cam-incidents [data-at]").click()
    expect(page.locator("#tt-why .tt-lead")).to_contain_text("There was an alert")
    look = page.locator(".tt-look").first
    expect(look).to_contain_text("shown to the VLM")
    look.locator("summary").click()
    expect(look.locator("pre")).to_contain_text('"kind": "fall"')


def test_calm_is_explained_and_nonsense_is_not_guessed_at(page: Page, site: CameraSite) -> None:
    """A time that people write, with the keyboard; then one that nobody watched."""
    begun = site.camera().windows["looked"]
    site.wait_for(lambda: site.camera().windows["looked"] >= begun + 3)
    last_at = site.camera().last_frame_at
    assert last_at is not None
    when = page.locator("#tt-when textarea, #tt-when input").first
    when.fill((last_at - dt.timedelta(seconds=5)).strftime("%H:%M:%S"))
    when.press("Enter")
    expect(page.locator("#tt-why .tt-lead")).to_contain_text("No alert: every look")
    when.fill("2020-01-01 00:00:00")
    page.locator("#tt-explain-button").click()
    expect(page.locator("#tt-why .tt-lead")).to_contain_text("No look covers 2020-01-01")
    when.fill("the day before yesterday")
    page.locator("#tt-explain-button").click()
    expect(page.get_by_test_id("toast-body")).to_contain_text("Write a time like")


def test_nothing_is_asked_of_cameras_while_their_tab_is_closed(page: Page, site: CameraSite) -> None:
    """Leaving it ends it, opening it begins again; videos are followed all the while, and cameras are none of them."""

    def asked_meanwhile() -> int:
        """How often the cameras are asked about while the videos are asked about three times."""
        cameras, jobs = site.asked.count("cameras"), site.asked.count("jobs")
        site.wait_for(lambda: site.asked.count("jobs") >= jobs + 3)
        return site.asked.count("cameras") - cameras

    assert asked_meanwhile() > 0
    page.locator("#tt-tab-videos-button").click()
    expect(page.locator("#tt-progress")).to_contain_text(EN["no_jobs"])
    site.wait_for(lambda: asked_meanwhile() == 0)
    assert asked_meanwhile() == 0
    page.locator("#tt-tab-cameras-button").click()
    stage(page)
    site.wait_for(lambda: asked_meanwhile() > 0)


def test_cameras_come_first_where_there_is_no_video(visit: Callable[..., Page]) -> None:
    """Whoever has only cameras sees them at once."""
    page = visit("")
    expect(row(page, GATE)).to_be_visible()


@pytest.mark.parametrize(("width", "locale", "scheme"), [(1280, "en-US", "light"), (390, "ko-KR", "dark")])
def test_nothing_sticks_out_on_any_screen(
    visit: Callable[..., Page], site: CameraSite, width: int, locale: str, scheme: str
) -> None:
    """Wide or narrow, in both languages, with everything on it."""
    words = KO if locale == "ko-KR" else EN
    page = visit(
        f"?camera={GATE}&incident={site.incidents()[0].id}", width, locale=locale, color_scheme=scheme
    )
    expect(page.locator("#tt-cameras")).to_contain_text(words["cam_recording"])
    stage(page)
    page.locator("#tt-cam-incidents [data-at]").click()
    expect(page.locator(".tt-look").first).to_contain_text(words["look_asked"])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """() => [...document.querySelectorAll('#tt-tab-cameras button, #tt-tab-cameras input, #tt-tab-cameras td')]
            .filter(e => e.offsetParent && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML)"""
    )
    assert outside == []


def test_without_cameras_there_is_no_tab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The page is as it is for videos alone, without a bar of one tab."""
    clock = StillClock()
    desk = make_desk(MemoryShelf(clock), clock, tmp_path_factory.mktemp("desk"))
    listener = bound()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        served(mount_ui(create_app(desk.services), lambda: address), listener),
        contextlib.closing(browser.new_context()) as context,
    ):
        page = context.new_page()
        page.goto(f"{address}/ui/?camera=gate")
        expect(page.locator("#tt-progress .tt-empty")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_role("tab")).to_have_count(0)
        expect(page.locator("#tt-cameras")).to_have_count(0)
