"""The command `timetravel backtest`: stored answers or stored footage under other rules, and the difference in incidents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from extension import settings
from extension.clock import SystemClock
from extension.command.backtest_options import (
    AgainstFile,
    CameraName,
    DataDir,
    ForcedLookS,
    Frames,
    From,
    Gate,
    JsonOut,
    Language,
    Least,
    MergeGapS,
    PageOut,
    PromptName,
    RulesFile,
    SecondLook,
    StrideS,
    To,
    What,
    WindowS,
    on,
)
from extension.command.written import put
from extension.errors import BadInput
from extension.model import Severity

if TYPE_CHECKING:  # what looks at video is loaded when something is looked at
    from extension.command.backtest_shapes import Trial

_SUFFIXES: Final = frozenset(
    {".mp4", ".mov", ".mkv", ".avi", ".webm", ".ts", ".m4v", ".mpg", ".mpeg", ".flv"}
)


def backtest(  # noqa: PLR0913 - one parameter per option of the command line
    what: What = None,
    *,
    camera: CameraName = None,
    begin: From = None,
    end: To = None,
    rules: RulesFile = None,
    against: AgainstFile = None,
    window_s: WindowS = None,
    stride_s: StrideS = None,
    prompt: PromptName = None,
    language: Language = None,
    frames: Frames = None,
    gate: Gate = None,
    forced_look_s: ForcedLookS = None,
    second_look: SecondLook = None,
    merge_gap_s: MergeGapS = None,
    least: Least = None,
    json_file: JsonOut = None,
    page_file: PageOut = None,
    data_dir: DataDir = None,
) -> None:
    """Judge again, on the media clock, without telling anybody: what would other rules have come to?

    Stored answers (a job or a camera) are judged anew; footage (videos, or the ring of --camera) is watched anew as if it were live.
    """
    configured = settings.load(**({"data_dir": data_dir} if data_dir else {}))
    console = Console()
    seeing = {
        "window_s": window_s,
        "stride_s": stride_s,
        "prompt": prompt,
        "language": language,
        "frames": frames,
        "forced_look_s": forced_look_s,
    }
    judging = {"merge_gap_s": merge_gap_s, "least_severity": Severity(least) if least else None}
    switches = {"gate": gate, "second_look": on(second_look)}
    if stored := _stored(what or [], camera):
        _only_judging(seeing | {"rules": rules, "against": against})
        switches = {"gate": on(gate), "second_look": on(second_look)}
        trials = [_from_store(configured, stored, begin, end, judging | switches)]
    else:
        changes = seeing | judging | switches
        trials = _from_footage(
            configured, what or [], camera, (begin, end), (rules, against), changes, console
        )
    _tell(trials, (json_file, page_file), console)


def _stored(what: Sequence[str], camera: str | None) -> str | None:
    """The job or camera whose stored answers are meant; None for footage.

    Raises:
        BadInput: when it cannot be told what is meant.
    """
    if camera is not None and what:
        raise BadInput("say either videos (or a job) or --camera, not both")
    if camera is None and not what:
        raise BadInput(
            "say what to judge again: a job, a camera's name, videos, or --camera NAME for its footage"
        )
    videos = [text for text in what if Path(text).is_file() or Path(text).suffix.lower() in _SUFFIXES]
    if camera is not None or len(videos) == len(what):
        return None
    if len(what) > 1:
        raise BadInput("one job or camera at a time, or videos")
    return what[0]


def _only_judging(seeing: Mapping[str, object]) -> None:
    """Refuse what stored answers cannot tell."""
    given = [f"--{name.replace('_', '-')}" for name, value in seeing.items() if value is not None]
    if given:
        raise BadInput(
            f"{', '.join(given)}: stored answers cannot tell what would have been seen then; "
            "name videos or --camera, whose footage is watched anew"
        )


def _from_store(
    configured: settings.Settings,
    name: str,
    begin: str | None,
    end: str | None,
    changes: dict[str, Any],
) -> Trial:
    from extension.command.backtest_stored import Part, judge_stored

    return judge_stored(configured, name, Part(begin, end), changes)


def _from_footage(
    configured: settings.Settings,
    videos: Sequence[str],
    camera: str | None,
    part: tuple[str | None, str | None],
    files: tuple[Path | None, Path | None],
    changes: dict[str, Any],
    console: Console,
) -> list[Trial]:
    from extension.command.backtest_footage import OfCamera, sets_of, watch_footage

    if camera is None and part != (None, None):
        raise BadInput(
            "--from and --to are for a job, a camera's name or --camera: videos are watched as a whole"
        )
    sets = sets_of(configured, camera, *files, changes)
    what = [Path(text) for text in videos] if camera is None else OfCamera(camera, *part)
    return watch_footage(configured, what, sets, console, SystemClock())


def _tell(trials: Sequence[Trial], out: tuple[Path | None, Path | None], console: Console) -> None:
    from extension.command.backtest_json import as_json
    from extension.command.backtest_page import page
    from extension.command.backtest_table import show

    show(console, trials)
    json_file, page_file = out
    if json_file is not None:
        put(json_file, json.dumps(as_json(trials), indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        console.print(f"figures written to {json_file}")
    if page_file is not None:
        put(page_file, page(trials))
        console.print(f"report written to {page_file}")
