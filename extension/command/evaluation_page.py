"""An evaluation as one HTML page that needs nothing else: tables, charts and every miss, for light and dark screens and for paper."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from extension.charts import evaluation as charts
from extension.timetravel.scoring_summary import Group, RunScore

_TIMELINES: Final = 12
_LISTED: Final = 2_000
"""Lines in the list of misses and false alarms; the JSON file has all."""

_WAYS: Final = (
    ("att", "when and who"),
    ("det", "when"),
    ("strict_att", "when and who, strict"),
    ("strict_det", "when, strict"),
)
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#9aa5b3;--ground:#fff;--card:#f4f6f9;--line:#d9dfe7;
--hit:#1a7f5a;--false:#d9730d;--miss:#c0263d;--who:#8a4fd0;
--g0:#2166ac;--g1:#d9730d;--g2:#1a7f5a;--g3:#8a4fd0;--g4:#b0235f;--g5:#6b7280}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#6d7888;--ground:#12161c;--card:#1b212a;--line:#303947;
--hit:#3fbf8f;--false:#f0a04b;--miss:#ff6b7d;--who:#b58cf0;
--g0:#6aaef0;--g1:#f0a04b;--g2:#3fbf8f;--g3:#b58cf0;--g4:#f078a8;--g5:#9aa5b3}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:68rem;margin:0 auto;padding:2rem 1.25rem 4rem}h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
h3{font-size:1rem;margin:1.2rem 0 .3rem}p{margin:.4rem 0}.dim{opacity:.75;font-size:.9em}
table{border-collapse:collapse;width:100%;font-size:.92em;font-variant-numeric:tabular-nums}th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th{font-weight:600;vertical-align:bottom}thead th{white-space:normal}th:first-child,td:first-child{text-align:left}tbody th{font-weight:600;padding-top:1rem}.text td{text-align:left}.text th{text-align:left}.tall{max-height:28rem;overflow:auto;border:1px solid var(--line);border-radius:.5rem}.tall thead th{position:sticky;top:0;background:var(--card)}
.wide{overflow-x:auto}.ci{opacity:.7;font-size:.82em}.old td{opacity:.75}
figure{margin:.5rem 0;background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem}figcaption{font-size:.9em;opacity:.8}
svg{width:100%;height:auto;display:block}.half svg{max-width:32rem}.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1rem;align-items:start}
.key span{display:inline-block;margin-right:1.1rem}.key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em;vertical-align:-1px}
.warn{border-left:4px solid var(--false);padding:.2rem .8rem;background:var(--card)}.bad{border-left-color:var(--miss)}
ol,ul{padding-left:1.3rem;margin:.3rem 0}summary{cursor:pointer;font-weight:600}
@media print{.tall,.wide{max-height:none;overflow:visible}body{font-size:11px}main{max-width:none;padding:0}figure,tr{break-inside:avoid}h2{break-after:avoid}:root{--ground:#fff;--card:#fff}}
"""


def html(page: dict[str, Any], groups: Sequence[Group]) -> str:
    """The page.

    Args:
        page: The evaluation as `evaluation_json.as_json` gives it.
        groups: The same groups, for the charts.
    """
    parts = [
        _head(page),
        _warnings(page),
        _table(page),
        _compared(page),
        _pictures(groups),
        _timelines(_mixed(groups)),
        _beside(page),
        _wrong(page),
        _failures(page),
        _flaws(page),
    ]
    title = "Evaluation of answers"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>{''.join(parts)}</main></body></html>\n"
    )


def _head(page: dict[str, Any]) -> str:
    threshold = ", ".join(f"{cm:g} cm" for cm in page["threshold_cm"]) or "as the truth file has it"
    truths = "".join(
        f"<li>{escape(t['name'])}: <b>{t['contacts']} contacts</b> ({t['contact_seconds']} contact seconds"
        f"{', ' + _number(t['log_s'], 1) + ' s of log' if t['log_s'] else ''}), {escape(t['source'])}</li>"
        for t in page["truths"]
    )
    return (
        f"<p><b>{_count(page['runs'], 'run')}</b>; tolerance {page['tolerance_s']:g} s of the log (strict: 0 s); contact distance {threshold}. "
        f"The unit is the {escape(page['unit'])}. Reports and contacts are matched one to one.</p>"
        f'<p class="dim">Intervals are 95 %, by resampling whole runs ({page["resamples"]} times, seed {page["seed"]}); a single run has none. '
        f"Sums over runs give precision, recall and F1; the mean over runs stands beside them with its standard deviation.</p>"
        f"<h3>Truth</h3><ul>{truths}</ul>"
    )


def _warnings(page: dict[str, Any]) -> str:
    notes = "".join(f'<p class="warn">{escape(note)}</p>' for note in page["notes"])
    bad = "".join(f'<p class="warn bad">Not read: {escape(text)}</p>' for text in page["not_read"])
    return notes + bad


def _table(page: dict[str, Any]) -> str:
    rows = "".join(_rows(group) for group in page["groups"])
    names = (
        "scored by",
        "hit",
        "false",
        "missed",
        "precision",
        "recall",
        "F1 of sums",
        "mean F1 ± sd",
        "range",
    )
    head = "".join(f"<th>{name}</th>" for name in names)
    return f'<h2>Scores</h2><div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _rows(group: dict[str, Any]) -> str:
    title = f"{escape(group['name'])} · {_count(group['runs'], 'run')}, {_count(group['contacts'], 'true contact')}"
    rows = [f'<tr><th colspan="9">{title}</th></tr>']
    for key, name in _WAYS:
        one = group[key]
        runs = one["f1_runs"]
        sd = "" if runs["deviation"] is None else f" ± {runs['deviation']:.3f}"
        cells = (
            *(str(one[count]) for count in ("matched", "false_alarms", "missed")),
            *(f"{one[figure]:.3f}{_ci(one[f'{figure}_ci'])}" for figure in ("precision", "recall", "f1")),
            f"{runs['mean']:.3f}{sd}",
            f"{runs['least']:.2f}-{runs['most']:.2f}",
        )
        rows.append(f"<tr><td>{name}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    old = group["predecessor"]
    cells = (
        *(str(old[count]) for count in ("matched", "false_alarms", "missed")),
        *(f"{old[figure]:.3f}" for figure in ("precision", "recall", "f1")),
        f"{old['mean_of_rounded_f1']:.2f}",
        "",
    )
    rows.append(
        f'<tr class="old"><td>exact seconds, the predecessor\'s rule</td>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
    )
    return "".join(rows)


def _compared(page: dict[str, Any]) -> str:
    if not page["compared"]:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one['one'])} against {escape(one['other'])}</td><td>{_number(one['difference'], 3)}</td>"
        f"<td>{one['videos']}</td><td>{_number(one['p'], 4)}</td><td>{_number(one['p_holm'], 4)}</td></tr>"
        for one in page["compared"]
    )
    return (
        '<h2>Groups compared</h2><p class="dim">Difference of mean F1 (when and who) over the videos that both groups saw; '
        "permutation test within videos, p adjusted by Holm's method.</p>"
        f'<div class="wide"><table><thead><tr><th>groups</th><th>difference</th><th>videos</th><th>p</th><th>p (Holm)</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _pictures(groups: Sequence[Group]) -> str:
    onset = charts.onsets(groups)
    onset_figure = (
        f'<figure class="half">{onset}<figcaption>Onset error of matched contacts. Answers that name whole seconds are early by up to one.</figcaption></figure>'
        if onset
        else ""
    )
    return (
        '<h2>Charts</h2><div class="two">'
        f'<figure class="half">{charts.precision_recall(groups)}<figcaption>Dots are runs, diamonds the sums of a group with 95 % intervals.</figcaption></figure>'
        f'<div>{onset_figure}<figure class="half">{charts.false_alarms(groups)}<figcaption>False alarms (when and who).</figcaption></figure></div></div>'
    )


def _mixed(groups: Sequence[Group]) -> list[RunScore]:
    """The runs of all groups in turn, so that a drawing of the first few shows every group."""
    turns = itertools.zip_longest(*(group.runs for group in groups))
    return [run for turn in turns for run in turn if run is not None]


def _timelines(runs: Sequence[RunScore]) -> str:
    by_truth: dict[tuple[str, str], list[RunScore]] = {}
    for run in runs:
        by_truth.setdefault((run.truth.name, run.answers.video or ""), []).append(run)
    figures = "".join(
        f"<h3>{escape(video or truth)}</h3><figure>{charts.timeline(some)}</figure>{_more(len(some) - charts.MOST_RUNS, 'run')}"
        for (truth, video), some in list(by_truth.items())[:_TIMELINES]
    )
    key = "".join(
        f'<span><i style="background:var(--{colour})"></i>{name}</span>'
        for colour, name in (
            ("hit", "matched"),
            ("false", "false alarm"),
            ("miss", "missed"),
            ("who", "right time, wrong objects"),
        )
    )
    return f'<h2>Contact by contact</h2><p class="key">{key}</p>{figures}{_more(len(by_truth) - _TIMELINES, "video")}'


def _more(count: int, what: str) -> str:
    return (
        f'<p class="dim">{_count(count, what)} more not drawn; all are in the lists and in the JSON file.</p>'
        if count > 0
        else ""
    )


def _beside(page: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(g['name'])}</td>{_onset(g['onset'])}{_rate(g['false_alarms_per_log_hour'])}{_rate(g['false_alarms_per_media_hour'])}"
        f"<td>{g['failed']}{' of ' + str(g['answered']) if g['answered'] else ''}</td>{_latency(g['latency'])}</tr>"
        for g in page["groups"]
    )
    names = (
        "group", "onset off, median / p95 s", "median error s", "false alarms / h of log", "/ h of video",
        "answers not usable", "s per run", "share of video length", "answer p50 / p95 s",
    )  # fmt: skip
    head = "".join(f"<th>{name}</th>" for name in names)
    return (
        '<h2>Onset, false alarms, failures, time</h2><p class="dim">Rates with their 95 % upper bound (0 in n hours: 3/n). '
        "An answer that could not be used is a failure, never &ldquo;nothing happened&rdquo;.</p>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _onset(onset: dict[str, Any] | None) -> str:
    if onset is None:
        return "<td>-</td><td>-</td>"
    return f"<td>{onset['median_size_s']:.2f} / {onset['p95_size_s']:.2f}</td><td>{onset['median_error_s']:+.2f}</td>"


def _rate(rate: dict[str, Any] | None) -> str:
    return (
        f"<td>{rate['per_hour']:.1f} <span class=ci>(≤ {rate['bound_per_hour']:.1f})</span></td>"
        if rate
        else "<td>-</td>"
    )


def _latency(latency: dict[str, Any]) -> str:
    run = latency["run_s"]
    p50, p95 = (_number(latency[name], 2) for name in ("answer_p50_s", "answer_p95_s"))
    return (
        f"<td>{_number(run['mean'], 1) if run else '-'}</td><td>{_number(latency['per_media_s'], 2)}</td>"
        f"<td>{'-' if latency['answer_p50_s'] is None else f'{p50} / {p95}'}</td>"
    )


def _wrong(page: dict[str, Any]) -> str:
    rows = [row for group in page["groups"] for run in group["single_runs"] for row in _wrong_rows(run)]
    if not rows:
        return "<h2>Misses and false alarms</h2><p>None.</p>"
    body = "".join(rows[:_LISTED])
    head = "<th>what</th><th>log time</th><th>objects</th><th>instead of</th><th>file</th>"
    return (
        f'<h2>Misses and false alarms ({len(rows)})</h2><div class="tall"><table class="text"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        + _more(len(rows) - _LISTED, "line")
    )


def _wrong_rows(run: dict[str, Any]) -> Iterable[str]:
    swapped = run["right_time_wrong_objects"]
    instead = {str(one["report"]): " + ".join(one["truth"]["objects"]) for one in swapped}
    named = {str(one["truth"]) for one in swapped}
    found = [("missed", "miss", one, "") for one in run["missed"] if str(one) not in named]
    for one in run["false_alarms"]:
        other = instead.get(str(one), "")
        found.append(("wrong objects", "who", one, other) if other else ("false alarm", "false", one, ""))
    for what, colour, one, other in sorted(found, key=lambda row: row[2]["start_s"]):
        yield (
            f'<tr><td style="color:var(--{colour})">{what}</td><td>{one["start_s"]:.2f}-{one["end_s"]:.2f} s</td>'
            f"<td>{escape(' + '.join(one['objects']))}</td><td>{escape(other)}</td><td>{escape(run['file'])}</td></tr>"
        )


def _failures(page: dict[str, Any]) -> str:
    rows = [
        f"<tr><td>{escape(one['where'])}</td><td>{escape(one['reason'])}</td><td>{escape(run['file'])}</td></tr>"
        for group in page["groups"]
        for run in group["single_runs"]
        for one in run["failed"]
    ]
    if not rows:
        return ""
    head = "<th>where</th><th>why</th><th>file</th>"
    return (
        f'<h2>Answers that could not be used ({len(rows)})</h2><div class="tall"><table class="text"><thead><tr>{head}</tr></thead><tbody>{"".join(rows[:_LISTED])}</tbody></table></div>'
        + _more(len(rows) - _LISTED, "line")
    )


def _flaws(page: dict[str, Any]) -> str:
    lines = "".join(f"<li>{escape(flaw)}</li>" for flaw in page["predecessor_flaws"])
    return f"<h2>What the predecessor's score cannot tell</h2><p class='dim'>It stands beside ours for comparison with published figures.</p><ol type='a'>{lines}</ol>"


def _ci(ci: dict[str, float] | None) -> str:
    return f' <span class="ci">[{ci["low"]:.2f}, {ci["high"]:.2f}]</span>' if ci else ""


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
