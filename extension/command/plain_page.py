"""A page of titled tables that needs nothing else, for light and dark screens and for paper. Knows nothing of what they tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2430;--ground:#fff;--card:#f4f6f9;--line:#d9dfe7;--note:#d9730d}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--ground:#12161c;--card:#1b212a;--line:#303947;--note:#f0a04b}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:68rem;margin:0 auto;padding:2rem 1.25rem 4rem}h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
p{margin:.4rem 0}.note{border-left:4px solid var(--note);padding:.2rem .8rem;background:var(--card)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92em;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}th{font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap}td.w{white-space:nowrap}td:first-child{white-space:pre-wrap}
@media print{body{font-size:11px}main{max-width:none;padding:0}tr{break-inside:avoid}:root{--ground:#fff;--card:#fff}}
"""


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table with its title; `said` and, marked, `notes` stand above it.

    Columns whose name ends in a star hold numbers; cells of the columns named in `whole` are not broken into lines.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    said: Sequence[str] = ()
    whole: Collection[str] = ()


def html(title: str, said: Sequence[str], tables: Sequence[PageTable]) -> str:
    """The page.

    Args:
        title: Of the page.
        said: Paragraphs above the tables.
        tables: In their order.
    """
    paragraphs = "".join(f"<p>{escape(text)}</p>" for text in said)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{paragraphs}{''.join(map(_table, tables))}</main></body></html>\n"
    )


def _table(table: PageTable) -> str:
    marks = [_mark(name, table.whole) for name in table.columns]
    head = "".join(
        f"<th{mark}>{escape(name.removesuffix('*'))}</th>"
        for mark, name in zip(marks, table.columns, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{mark}>{escape(cell)}</td>" for mark, cell in zip(marks, row, strict=True))
        + "</tr>"
        for row in table.rows
    )
    notes = "".join(f"<p>{escape(text)}</p>" for text in table.said)
    notes += "".join(f'<p class="note">{escape(note)}</p>' for note in table.notes)
    nothing = "" if table.rows else "<p>None.</p>"
    shown = (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        if table.rows
        else ""
    )
    return f"<h2>{escape(table.title)}</h2>{notes}{shown}{nothing}"


def _mark(name: str, whole: Collection[str]) -> str:
    return ' class="n"' if name.endswith("*") else ' class="w"' if name in whole else ""
