"""Looks at those who hear of incidents: whether they answer, and whether their clocks agree with ours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from extension.clock import Clock
from extension.command.doctor.asking import Asked, NoAnswer, skew_s
from extension.command.doctor.finding import Finding, failed, passed, warned
from extension.command.doctor.together import together
from extension.errors import BadSettings
from extension.notify import receivers as book
from extension.notify.receivers import Receiver
from extension.settings import Settings

_TIMEOUT_S, _ALL_S = 5.0, 8.0
_SKEW_S = 5.0


def look(settings: Settings, clock: Clock) -> tuple[list[Finding], dict[str, float]]:
    """The findings, and the receivers' clocks (seconds ahead of ours) by name."""
    try:
        known = _configured(settings)
    except BadSettings as exc:
        return [
            failed("receivers", str(exc), "mend EXT_WEBHOOK_URL, EXT_WEBHOOK_SECRET or EXT_RECEIVERS_FILE")
        ], {}
    if not known:
        detail = "none: alerts go to the sample receiver of `timetravel run` alone"
        return [warned("receivers", detail, "set EXT_WEBHOOK_URL and EXT_WEBHOOK_SECRET")], {}
    asked = together({one.name: partial(_ask, one, settings, clock) for one in known}, _ALL_S)
    skews: dict[str, float] = {}
    found = []
    for one in known:
        finding, skew = asked.get(one.name, (_silent(one.name), None))
        found.append(finding)
        if skew is not None:
            skews[one.name] = skew
    return found, skews


def clocks(skews_s: Mapping[str, float]) -> list[Finding]:
    """Whether the neighbours' clocks agree with ours: alerts carry the time in their signatures."""
    if not skews_s:
        return []
    said = ", ".join(f"{name} {skew:+.0f} s" for name, skew in skews_s.items())
    if max(abs(skew) for skew in skews_s.values()) > _SKEW_S:
        return [
            warned("clocks", f"ahead of ours: {said}; signatures may be refused", "set all clocks by NTP")
        ]
    return [passed("clocks", f"agree with ours to {_SKEW_S:.0f} s: {', '.join(skews_s)}")]


def _configured(settings: Settings) -> tuple[Receiver, ...]:
    found: list[Receiver] = []
    if settings.webhook_url:
        found.append(
            book.webhook("webhook", settings.webhook_url, settings.webhook_secret.get_secret_value())
        )
    if settings.receivers_file is not None:
        found += book.load(settings.receivers_file)
    return book.unique(found)


def _ask(receiver: Receiver, settings: Settings, clock: Clock) -> tuple[Finding, float | None]:
    """Any answer will do: a webhook need not understand a request without an alert."""
    setting = "EXT_WEBHOOK_URL" if receiver.url == settings.webhook_url else "its url in EXT_RECEIVERS_FILE"
    try:
        answer = Asked(receiver.url, setting, "the receiver").fetch("HEAD", "", _TIMEOUT_S)
    except NoAnswer as exc:
        return failed(f"to {receiver.name}", exc.detail, exc.fix), None
    return passed(f"to {receiver.name}", f"answers at {book.shown_url(receiver.url)}"), skew_s(
        answer, clock.now()
    )


def _silent(name: str) -> Finding:
    return failed(f"to {name}", "does not answer in time", "see whether the receiver is busy")
