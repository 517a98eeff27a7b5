"""Small pieces of HTML. Text goes in only through `tag`, which escapes it: what a VLM wrote is data, never markup."""

from __future__ import annotations

import html


class Html(str):
    """Text that is HTML already; everything else is escaped before it joins."""

    __slots__ = ()


def escaped(content: str | Html) -> Html:
    """The content as HTML."""
    return content if isinstance(content, Html) else Html(html.escape(content, quote=True))


def joined(*parts: str | Html) -> Html:
    """Parts after one another, each escaped unless it is HTML."""
    return Html("".join(escaped(part) for part in parts))


def tag(name: str, /, *content: str | Html, **attributes: str | float | bool | None) -> Html:
    """An element. `class_` is class, other underscores become dashes; True is a bare attribute, None and False leave it out."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{html.escape(str(value))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    return Html(f"<{name}{written}>{joined(*content)}</{name}>")
