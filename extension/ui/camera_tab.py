"""The cameras' tab: its components, and what happens on each action. What it shows is made by `camera_look` and the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from extension.client import ApiClient
from extension.errors import ExtensionError
from extension.ui import reasons, zones
from extension.ui.camera_look import LOOK_S, PARTS, Choice, Watched, look
from extension.ui.words import EN, Words, words_for
from extension.wire import BriefOut

_ASSETS = Path(__file__).parent / "assets"
_MOST_NOTES = 2000
# Which script hears what a visitor does to a part; it stands for the part's components.
_SCRIPTS = {"cameras": "pick.js", "cam-incidents": "pick.js", "picture": "zones.js"}


class CameraTab:
    """What the tab is made of. It asks nothing while it is not open.

    Args:
        api: Gives a client of the service.
        i18n: The words that Gradio's own components show.
    """

    def __init__(self, api: Callable[[], ApiClient], i18n: Any) -> None:
        self._api = api
        self._i18n = i18n
        self._html: dict[str, Any] = {}

    def lay_out(self) -> None:
        """Make the components, inside whatever is being laid out."""
        i18n = self._i18n
        self._watched = gr.State(Watched())
        self._choice = gr.State(Choice())
        self._timer = gr.Timer(LOOK_S, active=False)
        self._html["cameras"] = _part("cameras")
        with gr.Row(elem_id="tt-cam-main"):
            with gr.Column(scale=6, min_width=320):
                self._html["picture"] = _part("picture")
                self._notes = gr.Textbox(
                    label=i18n("notes"),
                    info=i18n("notes_hint"),
                    lines=3,
                    max_lines=8,
                    max_length=_MOST_NOTES,
                    elem_id="tt-notes",
                )
                self._save = gr.Button(i18n("notes_save"), size="sm", elem_id="tt-notes-save")
            with gr.Column(scale=6, min_width=320):
                self._html["clip"] = _part("clip")
                self._html["cam-incidents"] = _part("cam-incidents")
        with gr.Row(elem_id="tt-explain"):
            self._when = gr.Textbox(
                label=i18n("explain"),
                info=i18n("explain_at"),
                placeholder=i18n("explain_hint"),
                max_lines=1,
                max_length=60,
                scale=6,
                min_width=220,
                elem_id="tt-when",
            )
            self._explain = gr.Button(
                i18n("explain_button"), variant="primary", scale=1, min_width=90, elem_id="tt-explain-button"
            )
        self._why = _part("why")

    def connect(self, opened: Any, left: Any, quiet: Mapping[str, Any]) -> None:
        """Say what happens on each action.

        Args:
            opened: Registers what happens when this tab is opened.
            left: The same for any other.
            quiet: How Gradio is to call.
        """
        shown = [self._watched, *(self._html[part] for part in PARTS)]
        chosen = [self._choice, self._notes, *shown]
        state = [self._watched, self._choice]
        opened(self._on_open, state, [self._timer, *chosen], **quiet)
        left(lambda: gr.Timer(active=False), None, [self._timer], **quiet)
        self._timer.tick(self._on_tick, state, shown, **quiet)
        self._html["cameras"].select(self._on_camera, state, [self._why, *chosen], **quiet)
        self._html["cam-incidents"].select(self._on_incident, state, [self._choice, *shown], **quiet)
        self._html["picture"].submit(self._on_zone, state, [self._notes, *shown], **quiet)
        self._html["picture"].delete(self._on_zone_removed, state, [self._notes, *shown], **quiet)
        self._html["picture"].clear(self._on_reset, state, [self._notes, *shown], **quiet)
        self._save.click(self._on_notes, [*state, self._notes], [self._notes, *shown], **quiet)
        asking = {**quiet, "show_progress": "minimal", "show_progress_on": self._why}
        for trigger in (self._explain.click, self._when.submit):
            trigger(self._on_question, [self._when, self._watched], [self._why], **asking)
        self._html["cam-incidents"].submit(self._on_why, [self._watched], [self._when, self._why], **asking)

    @property
    def chosen(self) -> list[Any]:
        """The components that `welcome` fills."""
        return [self._timer, self._choice, self._notes, self._watched, *(self._html[part] for part in PARTS)]

    def welcome(self, query: Mapping[str, str], words: Words, *, is_open: bool) -> list[Any]:
        """What a visitor's address asks for: a camera, and one of its incidents. Nothing is asked where the tab is not open."""
        choice = Choice(query.get("camera"), query.get("incident"))
        if is_open:
            return [gr.Timer(active=True), *self._choose(Watched(), choice, words)]
        return [gr.Timer(active=False), choice, "", Watched(), *([""] * len(PARTS))]

    def _on_open(self, watched: Watched, choice: Choice, request: gr.Request) -> list[Any]:
        return [gr.Timer(active=True), *self._choose(watched, choice, _words(request))]

    def _on_tick(self, watched: Watched, choice: Choice, request: gr.Request) -> list[Any]:
        return _changed(watched, look(self._api(), watched, choice, _words(request)))

    def _on_camera(
        self, watched: Watched, choice: Choice, request: gr.Request, event: gr.EventData
    ) -> list[Any]:
        name = _said(event).get("camera")
        if not isinstance(name, str) or name == choice.camera:
            return [gr.skip()] * (len(PARTS) + 4)
        return ["", *self._choose(watched, Choice(name), _words(request))]

    def _choose(self, watched: Watched, choice: Choice, words: Words) -> list[Any]:
        after = look(self._api(), watched, choice, words, anew=True)
        name = after.shown.name if after.shown else choice.camera
        notes = after.brief.notes if after.brief else ""
        return [replace(choice, camera=name), notes, *_changed(watched, after)]

    def _on_incident(
        self, watched: Watched, choice: Choice, request: gr.Request, event: gr.EventData
    ) -> list[Any]:
        incident_id = _said(event).get("incident")
        if not isinstance(incident_id, str):
            return [gr.skip()] * (len(PARTS) + 2)
        choice = replace(choice, incident=incident_id)
        return [choice, *_changed(watched, look(self._api(), watched, choice, _words(request)))]

    def _on_zone(
        self, watched: Watched, choice: Choice, request: gr.Request, event: gr.EventData
    ) -> list[Any]:
        drawn = zones.drawn(_said(event))

        def save(api: ApiClient) -> BriefOut | None:
            if drawn is None:
                return None
            camera, name, kind, points = drawn
            known = api.brief(camera)
            wanted = zones.with_zone(known.zones, {"name": name, "kind": kind, "points": points})
            return api.set_brief(camera, known.notes, wanted)

        return self._told(watched, choice, _words(request), save)

    def _on_zone_removed(
        self, watched: Watched, choice: Choice, request: gr.Request, event: gr.EventData
    ) -> list[Any]:
        said = _said(event)
        camera, name = said.get("camera"), said.get("name")

        def save(api: ApiClient) -> BriefOut | None:
            if not isinstance(camera, str) or not isinstance(name, str):
                return None
            known = api.brief(camera)
            return api.set_brief(camera, known.notes, zones.without_zone(known.zones, name))

        return self._told(watched, choice, _words(request), save)

    def _on_reset(self, watched: Watched, choice: Choice, request: gr.Request) -> list[Any]:
        def save(api: ApiClient) -> BriefOut | None:
            return api.drop_brief(choice.camera) if choice.camera else None

        return self._told(watched, choice, _words(request), save, notes_too=True)

    def _on_notes(self, watched: Watched, choice: Choice, notes: str, request: gr.Request) -> list[Any]:
        def save(api: ApiClient) -> BriefOut | None:
            if choice.camera is None:
                return None
            known = api.brief(choice.camera)
            return api.set_brief(choice.camera, notes, zones.without_zone(known.zones, ""))

        return self._told(watched, choice, _words(request), save, notes_too=True)

    def _told(
        self,
        watched: Watched,
        choice: Choice,
        words: Words,
        save: Callable[[ApiClient], BriefOut | None],
        *,
        notes_too: bool = False,
    ) -> list[Any]:
        """Change what is said of a camera's place, and show it; what is typed into the notes stays unless they were changed."""
        try:
            brief = save(self._api())
        except ExtensionError as problem:
            gr.Warning(str(problem))
            return [gr.skip()] * (len(PARTS) + 2)
        if brief is not None:
            gr.Info(words["zone_saved"])
        after = look(self._api(), watched, choice, words, anew=True)
        notes = brief.notes if brief and notes_too else gr.skip()
        return [notes, *_changed(watched, after)]

    def _on_question(self, text: str, watched: Watched, request: gr.Request) -> Any:
        words = _words(request)
        latest_at = watched.shown.last_frame_at if watched.shown else None
        at = reasons.asked_at(text, latest_at)
        if at is None or watched.shown is None:
            gr.Warning(words["explain_bad_time"])
            return gr.skip()
        try:
            looks = self._api().looks(watched.shown.name, at)
        except ExtensionError as problem:
            gr.Warning(str(problem))
            return gr.skip()
        return reasons.explanation(at, looks, watched.incidents, watched.shown.begin_at, words)

    def _on_why(self, watched: Watched, request: gr.Request, event: gr.EventData) -> list[Any]:
        text = str(_said(event).get("at") or "")
        return [text, self._on_question(text, watched, request)]


def _part(name: str) -> Any:
    script = _SCRIPTS.get(name)
    return gr.HTML(
        "",
        elem_id=f"tt-{name}",
        elem_classes="tt-part",
        padding=False,
        js_on_load=(_ASSETS / script).read_text("utf-8") if script else None,
    )


def _changed(before: Watched, after: Watched) -> list[Any]:
    """What is shown now, then every part, those left out that are as they were."""
    parts = [
        after.parts[part] if after.parts.get(part) != before.parts.get(part) else gr.skip() for part in PARTS
    ]
    return [after, *parts]


def _said(event: gr.EventData) -> Mapping[str, Any]:
    data = event._data  # noqa: SLF001  # Gradio's documented way to read a custom event
    return data if isinstance(data, Mapping) else {}


def _words(request: gr.Request) -> Words:
    return words_for(request.headers.get("accept-language", "")) if request else EN
