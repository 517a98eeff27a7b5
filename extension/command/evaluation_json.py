"""An evaluation as one JSON-ready page: every figure unrounded, every miss and false alarm by name. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any, Final

from extension.command.evaluation_inputs import Gathered, Wanted
from extension.timetravel.evaluation import Occurrence, Score
from extension.timetravel.scoring_stats import CONFIDENCE, RESAMPLES
from extension.timetravel.scoring_summary import Figures, Group, RunScore, Versus

FLAWS: Final = (
    "a wrong answer at a true second is a false alarm but no miss: recall reads too high",
    "a second holds one set of objects: two contacts at once can only be met by a merged answer",
    "no second of tolerance: one second off is a miss and a false alarm",
    "a contact of n seconds counts n times",
    "an echo of one contact on both sides of a chunk border counts twice",
    "answers that are neither in a json fence nor a bare list are skipped in silence",
    "its folder of answers is another than the one its client writes to: runs go missing unnoticed",
    "its lists of true seconds were made by hand and disagree about second 0 (12 or 13)",
    "its table of videos and truths is out of date: runs were scored against another video's truth",
    "published figures are means of rounded numbers, without spread and number of runs",
)
"""The known flaws of the predecessor's score, one line each."""


def as_json(
    groups: Sequence[Group],
    compared: Sequence[Versus],
    gathered: Gathered,
    notes: Sequence[str],
    wanted: Wanted,
    seed: int,
) -> dict[str, Any]:
    """The whole evaluation."""
    runs = gathered.runs
    return {
        "unit": "contact: one happening between one pair of objects, however long",
        "tolerance_s": wanted.tolerance_s,
        "threshold_cm": sorted(
            {run.truth.threshold_cm for run in runs if run.truth.threshold_cm is not None}
        ),
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "seed": seed,
        "runs": len(runs),
        "truths": [_truth(run) for run in {run.truth.name: run for run in runs}.values()],
        "groups": [_group(group) for group in groups],
        "compared": [_plain(one) for one in compared],
        "notes": [*notes, *warnings(runs)],
        "not_read": gathered.broken,
        "left_out_files": gathered.left_out,
        "predecessor_flaws": list(FLAWS),
    }


def warnings(runs: Sequence[RunScore]) -> list[str]:
    """What was odd about truths and answers, each said once with the file's name."""
    said = [f"{run.truth.name}: {warning}" for run in runs for warning in run.truth.warnings]
    said += [f"{run.answers.name}: {warning}" for run in runs for warning in run.answers.warnings]
    return list(dict.fromkeys(said))


def _truth(run: RunScore) -> dict[str, Any]:
    truth = run.truth
    return {
        "name": truth.name,
        "source": truth.source,
        "contacts": len(truth.contacts),
        "contact_seconds": len(truth.seconds),
        "log_s": truth.duration_s,
        "start_at": truth.clock.start_at.isoformat(),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "runs": len(group.runs),
        "contacts": sum(len(run.truth.contacts) for run in group.runs),
        **{way: figures_json(getattr(group, way)) for way in ("att", "det", "strict_att", "strict_det")},
        "predecessor": _score(group.predecessor) | {"mean_of_rounded_f1": group.predecessor_published_f1},
        "onset": _plain(group.onset),
        "false_alarms_per_log_hour": _plain(group.per_log_hour),
        "false_alarms_per_media_hour": _plain(group.per_media_hour),
        "latency": _plain(group.latency),
        "answered": group.answered,
        "failed": group.failed,
        "single_runs": [_run(run) for run in group.runs],
    }


def figures_json(figures: Figures) -> dict[str, Any]:
    """Counts, micro averages with their intervals, and the single runs' F1."""
    return _score(figures.score) | {
        "precision_ci": _plain(figures.precision_ci),
        "recall_ci": _plain(figures.recall_ci),
        "f1_ci": _plain(figures.f1_ci),
        "f1_runs": _plain(figures.f1_runs),
        "macro_f1_ci": _plain(figures.macro_f1_ci),
    }


def _score(score: Score) -> dict[str, Any]:
    return dataclasses.asdict(score) | {
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
    }


def _run(run: RunScore) -> dict[str, Any]:
    answers = run.answers
    return {
        "file": answers.name,
        "shape": answers.shape,
        "model": answers.model,
        "video": answers.video,
        "run": answers.run,
        "truth": run.truth.name,
        "speed": run.speed,
        "log_s": run.log_s,
        "media_s": run.media_s,
        "execution_s": answers.execution_s,
        "answered": answers.answered,
        "att": _score(run.att.score),
        "det": _score(run.det.score),
        "strict_att": _score(run.strict_att),
        "strict_det": _score(run.strict_det),
        "predecessor": dataclasses.asdict(run.predecessor)
        | {name: getattr(run.predecessor, name) for name in ("precision", "recall", "f1")},
        "onset_errors_s": [match.onset_error_s for match in run.att.matches],
        "missed": [_occurrence(one) for one in run.att.missed],
        "false_alarms": [_occurrence(one) for one in run.att.false_alarms],
        "right_time_wrong_objects": [
            {"report": _occurrence(match.report), "truth": _occurrence(match.truth)} for match in run.misnamed
        ],
        "failed": [dataclasses.asdict(one) for one in answers.unread],
    }


def _occurrence(one: Occurrence) -> dict[str, Any]:
    return {"start_s": round(one.start_s, 3), "end_s": round(one.end_s, 3), "objects": list(one.objects)}


def _plain(value: Any) -> Any:
    """A dataclass as a dict; NaN, which JSON has not, as null."""
    if value is None:
        return None
    found = dataclasses.asdict(value)
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in found.items()}
