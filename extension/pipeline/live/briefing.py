"""What the VLM is told when it looks at a window of a camera, and what of that is kept with its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

from extension.captions import prompts
from extension.captions.brief import OLDEST_S, Earlier, Notes, added, briefed
from extension.captions.prompts import Prompt
from extension.model import Brief, Caption, Job, Severity
from extension.store import Store

BriefOf = Callable[[str], Brief]


def no_brief(_camera: str) -> Brief:
    """The brief of a camera of which nothing is said."""
    return Brief()


class Recent:
    """The last answers for one camera, as context for the next.

    Args:
        most: Answers that are kept; 0 for none.
        captions: Answers from before, in any order.
    """

    def __init__(self, most: int = 0, captions: list[Caption] | None = None) -> None:
        self._most = most
        self._captions: tuple[Caption, ...] = ()
        for caption in captions or ():
            self.note(caption)

    def note(self, caption: Caption) -> None:
        """Take in an answer; a window that the VLM was not asked about, or that failed, has none."""
        if self._most == 0 or not caption.asked or not _told(caption):
            return
        others = [known for known in self._captions if known.chunk.index != caption.chunk.index]
        in_order = sorted([*others, caption], key=lambda known: known.chunk.index)
        self._captions = tuple(in_order[-self._most :])

    def before(self, start_s: float) -> tuple[Earlier, ...]:
        """The answers for windows that began before a media second, oldest first."""
        return tuple(
            Earlier(start_s - known.chunk.span.start_s, _told(known))
            for known in self._captions
            if known.chunk.span.start_s < start_s
        )


def recalled(job: Job, store: Store, stride_s: float, most: int) -> Recent:
    """The last answers for a camera that was watched before, from the store."""
    if most == 0:
        return Recent()
    windows = int(OLDEST_S // stride_s) + 1
    return Recent(most, store.captions(job.id, max(0, job.judged_chunks - windows), windows))


def prompt_for(name: str, brief: Brief, earlier: tuple[Earlier, ...]) -> tuple[Prompt, str]:
    """The prompt for a window, and what it says beyond the prompt of that name.

    Raises:
        BadInput: when there is no prompt of that name.
    """
    prompt, notes = prompts.load(name), Notes(brief, earlier)
    return briefed(prompt, notes), added(prompt, notes)


def noted(caption: Caption, text: str) -> Caption:
    """An answer with what its prompt said beyond the constant text.

    Its hash is always kept (`brief`), the text itself (`brief_text`) where something may come to rest on the answer: not of the many
    windows in which nothing happened.
    """
    if not text or "prompt" not in caption.stats:
        return caption  # nothing was added, or nothing was answered
    kept = {"brief": hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()}
    if caption.verdict is None or caption.verdict.status is not Severity.SAFE:
        kept["brief_text"] = text
    return replace(caption, stats=caption.stats | kept)


def _told(caption: Caption) -> str:
    """An answer in short: its status, and what it says of the window."""
    verdict = caption.verdict
    if verdict is None:
        return ""
    told = verdict.summary.strip() or next((c.description for c in verdict.claims if c.description), "")
    return f"{verdict.status}: {told}" if told else ""
