"""The Gradio page itself: its layout and which action calls what. What it shows is made by `refresh` and `views`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from extension.client import ApiClient
from extension.errors import ExtensionError
from extension.ui import views
from extension.ui.camera_tab import CameraTab
from extension.ui.refresh import BUSY_S, IDLE_S, Seen, look
from extension.ui.sayings import instant
from extension.ui.words import EN, KO, Words, words_for
from extension.wire import AnswerOut, JobOut

_ASSETS = Path(__file__).parent / "assets"
_PARTS = (
    "header",
    "progress",
    "player",
    "steps",
    "timeline",
    "events",
    "summary",
    "incidents",
    "failures",
    "outputs",
)
# Callbacks ask the API, which answers from the same pool of threads (40 of anyio): they may never take all of it.
_AT_ONCE = 8
# The browser sends videos to the API itself; nothing is uploaded through Gradio.
_MOST_GRADIO_UPLOAD_BYTES = 1024
_HISTORY = 6
_ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#159a8c"/></svg>'
_VIDEOS, _CAMERAS = "videos", "cameras"

History = list[tuple[str, AnswerOut]]


def mount(app: FastAPI, api_url: Callable[[], str]) -> FastAPI:
    """Mount the page under /ui of the app that serves the API, and send visitors of / there."""
    i18n = gr.I18n(en=dict(EN), ko=dict(KO))
    app.add_api_route("/", _to_page, include_in_schema=False)
    app.add_api_route("/favicon.ico", _icon, include_in_schema=False)
    return gr.mount_gradio_app(  # type: ignore[no-any-return]  # Gradio is untyped here
        app,
        _Page(api_url, i18n).blocks,
        path="/ui",
        i18n=i18n,
        theme=_theme(),
        css="".join((_ASSETS / name).read_text("utf-8") for name in ("page.css", "cameras.css")),
        head=f"<script>{(_ASSETS / 'page.js').read_text('utf-8')}</script>",
        run_history=False,
        footer_links=[],
        ssr_mode=False,
        mcp_server=False,
        show_error=False,
        max_file_size=_MOST_GRADIO_UPLOAD_BYTES,
    )


def _to_page() -> RedirectResponse:
    return RedirectResponse("ui/")


def _icon() -> Response:
    return Response(_ICON, media_type="image/svg+xml")


def _theme() -> Any:
    fonts = ["system-ui", "Noto Sans CJK KR", "Noto Sans KR", "sans-serif"]
    return gr.themes.Soft(
        primary_hue="teal",
        secondary_hue="teal",
        neutral_hue="slate",
        font=fonts,
        font_mono=["ui-monospace", "monospace"],
    ).set(
        block_title_background_fill="transparent",
        block_title_background_fill_dark="transparent",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_padding="0",
    )


class _Page:
    """The components, and what happens on each action."""

    def __init__(self, api_url: Callable[[], str], i18n: Any) -> None:
        self._api_url = api_url
        self._i18n = i18n
        self._cameras = CameraTab(self._api, i18n)
        # Told here as well as in the environment, so that importing this module anywhere never calls home.
        with gr.Blocks(title=EN["title"], analytics_enabled=False, fill_width=False) as self.blocks:
            self._lay_out()
            self._connect()

    def _lay_out(self) -> None:
        i18n = self._i18n
        self._seen = gr.State(Seen())
        self._history = gr.State([])
        self._timer = gr.Timer(BUSY_S)
        self._html: dict[str, Any] = {"header": _html("header")}
        with gr.Tabs(elem_id="tt-tabs") as self._tabs:
            with gr.Tab(i18n("tab_videos"), id=_VIDEOS, elem_id="tt-tab-videos") as self._videos_tab:
                self._lay_out_videos()
            with gr.Tab(
                i18n("tab_cameras"), id=_CAMERAS, elem_id="tt-tab-cameras", visible=False
            ) as self._cameras_tab:
                self._cameras.lay_out()

    def _lay_out_videos(self) -> None:
        i18n = self._i18n
        with gr.Row(elem_id="tt-choice"):
            with gr.Column(scale=5, min_width=320):
                self._picker = gr.Dropdown([], label=i18n("stored"), interactive=True, elem_id="tt-picker")
            with gr.Column(scale=7, min_width=320):
                self._html["progress"] = _html("progress")
        with gr.Accordion(i18n("another"), open=False, elem_id="tt-another") as self._another:
            self._upload = gr.HTML(
                "", elem_id="tt-upload", js_on_load=(_ASSETS / "upload.js").read_text("utf-8"), padding=False
            )
        with gr.Row(elem_id="tt-main"):
            with gr.Column(scale=5, min_width=320):
                self._html["player"] = _html("player")
                self._html["timeline"] = _html("timeline")
                self._html["steps"] = _html("steps")
            with gr.Column(scale=7, min_width=320):
                self._html["events"] = _html("events")
        self._html["summary"] = _html("summary")
        self._html["incidents"] = _html("incidents")
        self._html["failures"] = _html("failures")
        self._retry = gr.Button(i18n("retry"), visible=False, size="sm", elem_id="tt-retry")
        self._lay_out_questions()
        self._html["outputs"] = _html("outputs")

    def _lay_out_questions(self) -> None:
        i18n = self._i18n
        with gr.Row(elem_id="tt-ask"):
            self._question = gr.Textbox(
                label=i18n("ask"),
                placeholder=i18n("ask_placeholder"),
                max_lines=1,
                max_length=2000,
                scale=6,
                min_width=220,
                elem_id="tt-question",
            )
            self._ask = gr.Button(
                i18n("ask_button"), variant="primary", scale=1, min_width=90, elem_id="tt-ask-button"
            )
        self._answers = _html("answers")

    def _connect(self) -> None:
        shown = [self._seen, self._picker, self._timer, self._retry, *(self._html[p] for p in _PARTS)]
        quiet: dict[str, Any] = {
            "show_progress": "hidden",
            "concurrency_limit": _AT_ONCE,
            "concurrency_id": "page",
            "api_visibility": "private",
        }
        tabs = [self._tabs, self._cameras_tab, *self._cameras.chosen]
        self.blocks.load(self._on_load, None, [self._upload, self._another, *tabs, *shown], **quiet)
        self._cameras.connect(self._cameras_tab.select, self._videos_tab.select, quiet)
        self._timer.tick(self._on_tick, [self._seen, self._picker], shown, **quiet)
        self._picker.input(
            self._on_choice, [self._seen, self._picker], [self._history, self._answers, *shown], **quiet
        )
        self._upload.submit(
            self._on_uploaded,
            [self._seen],
            [self._another, self._history, self._answers, *shown],
            **quiet,
        )
        self._retry.click(self._on_retry, [self._seen, self._picker], shown, **quiet)
        asking = {**quiet, "show_progress": "minimal", "show_progress_on": self._answers}
        for trigger in (self._ask.click, self._question.submit):
            trigger(
                self._on_question,
                [self._question, self._seen, self._history],
                [self._question, self._history, self._answers],
                **asking,
            )

    def _on_load(self, request: gr.Request) -> list[Any]:
        words = _words(request)
        seen, updates = self._look(Seen(), request.query_params.get("job"), words)
        another = gr.Accordion(open=not seen.jobs)
        return [views.upload_form(words), another, *self._tabs_for(request, seen), *updates]

    def _tabs_for(self, request: gr.Request, seen: Seen) -> list[Any]:
        """Cameras have a tab where some are named; it is the open one where the address says so, or nothing else is there to see."""
        try:
            there_are = bool(self._api().cameras())
        except ExtensionError:
            there_are = True
        query = request.query_params
        is_open = there_are and ("camera" in query or (not seen.jobs and "job" not in query))
        tabs = gr.Tabs(selected=_CAMERAS if is_open else _VIDEOS)
        welcome = self._cameras.welcome(query, _words(request), is_open=is_open)
        return [tabs, gr.Tab(visible=there_are), *welcome]

    def _on_tick(self, seen: Seen, job_id: str | None, request: gr.Request) -> list[Any]:
        return self._look(seen, job_id or None, _words(request))[1]

    def _on_choice(self, seen: Seen, job_id: str | None, request: gr.Request) -> list[Any]:
        return [[], "", *self._look(seen, job_id or None, _words(request))[1]]

    def _on_uploaded(self, seen: Seen, request: gr.Request, event: gr.EventData) -> list[Any]:
        job_id = str(event._data["job"])  # noqa: SLF001  # Gradio's documented way to read a custom event
        return [gr.Accordion(open=False), [], "", *self._look(seen, job_id, _words(request))[1]]

    def _on_retry(self, seen: Seen, job_id: str | None, request: gr.Request) -> list[Any]:
        words = _words(request)
        if job_id:
            try:
                self._api().retry(job_id)
                gr.Info(words["retried"])
            except ExtensionError as problem:
                gr.Warning(str(problem))
        return self._look(seen, job_id or None, words)[1]

    def _on_question(self, question: str, seen: Seen, history: History, request: gr.Request) -> list[Any]:
        words = _words(request)
        if seen.findings is None or not question.strip():
            gr.Warning(words["ask_empty" if seen.findings else "ask_no_job"])
            return [gr.skip(), gr.skip(), gr.skip()]
        try:
            answer = self._api().ask(seen.findings.job.id, question.strip())
        except ExtensionError as problem:
            gr.Warning(str(problem))
            return [gr.skip(), gr.skip(), gr.skip()]
        history = [*history, (question.strip(), answer)][-_HISTORY:]
        return ["", history, views.answers(history, words)]

    def _api(self) -> ApiClient:
        return ApiClient(self._api_url())

    def _look(self, seen: Seen, job_id: str | None, words: Words) -> tuple[Seen, list[Any]]:
        after = look(self._api(), seen, job_id, words)
        job = after.findings.job if after.findings else None
        can_retry = job is not None and job.status in {"done", "failed"} and job.failed_chunks > 0
        picker = gr.skip()
        if after.jobs != seen.jobs or (job and job.id) != job_id:
            picker = gr.Dropdown(choices=_choices(after.jobs, job, words), value=job.id if job else None)
        changed = [
            after.parts[part] if after.parts.get(part) != seen.parts.get(part) else gr.skip()
            for part in _PARTS
        ]
        timer = gr.Timer(BUSY_S if after.is_busy else IDLE_S)
        return after, [after, picker, timer, gr.Button(visible=can_retry), *changed]


def _html(name: str, **arguments: Any) -> Any:
    return gr.HTML(
        "", elem_id=f"tt-{name}", elem_classes="tt-part", padding=False, js_on_load=None, **arguments
    )


def _words(request: gr.Request) -> Words:
    return words_for(request.headers.get("accept-language", ""))


def _choices(jobs: tuple[JobOut, ...], shown: JobOut | None, words: Words) -> list[tuple[str, str]]:
    listed = list(jobs)
    if shown is not None and all(job.id != shown.id for job in jobs):
        listed.append(shown)
    return [(f"{job.name} — {words[job.status]} — {instant(job.created_at)}", job.id) for job in listed]
