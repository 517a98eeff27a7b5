"""The command line `timetravel`. Each command reads its arguments and hands over; what goes wrong is one sentence and exit code 1 or 2."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console

from extension import VERSION, settings
from extension.clock import SystemClock
from extension.command.backtest import backtest
from extension.command.camera_evaluation import evaluate_cameras
from extension.command.evaluate import evaluate
from extension.command.generate import generate
from extension.command.replay import replay
from extension.errors import BadSettings, ExtensionError
from extension.model import VlmUse

app = typer.Typer(
    help="Turns video into accident alerts.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Video = Annotated[Path | None, typer.Option(help="Video to analyse; without one, a sample is drawn.")]
Log = Annotated[
    Path | None, typer.Option(help="Trajectory log of the video (timestamp,objid,x,y,z): CSV or Parquet.")
]
Speed = Annotated[float, typer.Option(min=0.1, max=100, help="Log seconds per video second.")]
PromptName = Annotated[str, typer.Option(help="What to look for: simple_view, twin_view or camera.")]
Vlm = Annotated[VlmUse, typer.Option(help="Which chunks of a replay with a log the VLM is asked about.")]
Geometry = Annotated[
    bool, typer.Option("--geometry/--no-geometry", help="Weigh what the VLM says against the log.")
]
Report = Annotated[Path | None, typer.Option(help="Write what came of it to this JSON file.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of database, uploads and outputs (EXT_DATA_DIR).")]


@app.command()
def run(  # noqa: PLR0913 - one argument per option
    video: Video = None,
    trajectory: Log = None,
    speed: Speed = 1.0,
    prompt: PromptName = "replay",
    vlm: Vlm = VlmUse.ALL,
    *,
    geometry: Geometry = True,
    once: Annotated[bool, typer.Option("--once", help="Stop when the video is done.")] = False,
    report: Report = None,
    data_dir: DataDir = None,
) -> None:
    """Start everything, analyse a video, deliver the alerts; then serve the page until Ctrl-C."""
    from extension.command.run import MainJob, RunPlan

    changes: dict[str, Any] = {"port": 0} if once else {}
    plan = RunPlan(video, trajectory, speed, prompt, once, report, vlm, geometry)
    raise typer.Exit(MainJob(_settings(data_dir, **changes), Console(), SystemClock()).run(plan))


@app.command()
def summarize(
    video: Annotated[Path, typer.Argument(help="Video to analyse.")],
    trajectory: Log = None,
    speed: Speed = 1.0,
    prompt: PromptName = "replay",
    vlm: Vlm = VlmUse.ALL,
    *,
    geometry: Geometry = True,
    report: Report = None,
    data_dir: DataDir = None,
) -> None:
    """Analyse one video and print what happened, on the running service where there is one."""
    from extension.command.run import MainJob, RunPlan

    plan = RunPlan(video, trajectory, speed, prompt, once=True, report=report, vlm=vlm, geometry=geometry)
    job = MainJob(_settings(data_dir, port=0), Console(), SystemClock())
    raise typer.Exit(job.run_here_or_there(plan))


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on (EXT_PORT).")] = None,
    port_file: Annotated[Path | None, typer.Option(help="Write the port here once it answers.")] = None,
    *,
    page: Annotated[bool, typer.Option(help="Serve the page too.")] = True,
) -> None:
    """Serve API, page, worker and courier; the via-server must be running (VIA_BACKEND)."""
    from extension.serve import serve_forever

    changes = {} if port is None else {"port": port}
    serve_forever(_settings(None, **changes), port_file, page=page)


@app.command()
def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False, data_dir: DataDir = None
) -> None:
    """Check what the service needs, and say how to mend what is missing. Exit code 1 only when something fails."""
    from extension.command.doctor import examine, show

    raise typer.Exit(show(examine(_settings(data_dir), SystemClock()), Console(), as_json=as_json))


@app.command()
def summary(
    job_id: Annotated[
        str, typer.Argument(help="The job, or the beginning of its id; without one, the newest.")
    ] = "",
    lang: Annotated[str, typer.Option(help="Language: en or ko.")] = "en",
    data_dir: DataDir = None,
) -> None:
    """Print what a job of the running service came to, and where its summary video is."""
    from extension.command.summary import tell

    tell(_settings(data_dir), Console(), job_id, lang)


@app.command()
def verify(
    evidence: Annotated[
        Path, typer.Argument(help="Folder of evidence, its manifest, or a folder of such folders.")
    ],
    source: Annotated[Path | None, typer.Option(help="The source video, to check its hash too.")] = None,
    sha256: Annotated[str | None, typer.Option(help="What the manifest's own hash must be.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compute every hash of an incident's evidence again. Exit code 1 when anything changed or is missing."""
    from extension.command.verify import check

    raise typer.Exit(check(evidence, Console(), source=source, sha256=sha256, as_json=as_json))


@app.command()
def docs() -> None:
    """Write what is made from the settings: .env.template and docs/settings.md."""
    from extension.command import settings_page

    root = Path(__file__).parent.parent
    (root / ".env.template").write_text(settings_page.env_template(), encoding="utf-8")
    (root / "docs" / "settings.md").write_text(settings_page.settings_page(), encoding="utf-8")


app.command("replay")(replay)
app.command("generate")(generate)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(VERSION)


app.command("eval")(evaluate)
app.command("eval-cameras")(evaluate_cameras)
app.command("backtest")(backtest)


def _settings(data_dir: Path | None, **changes: Any) -> settings.Settings:
    if data_dir is not None:
        changes["data_dir"] = data_dir
    return settings.load(**changes)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Treat a request to terminate like Ctrl-C, so that the children are stopped; also where a shell had switched Ctrl-C off."""
    del number, frame
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    console = Console(stderr=True)
    try:
        app()
    except BadSettings as exc:
        console.print("[red]The settings are wrong:[/red]", *str(exc).split("; "), sep="\n  ")
        sys.exit(1)
    except ExtensionError as exc:
        console.print(f"[red]{type(exc).__name__}:[/red]", str(exc), markup=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
