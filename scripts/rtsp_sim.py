"""Simulated cameras: N looping RTSP streams from files or drawn scenes, with faults that are set at start or over HTTP; see scripts/rtsp-sim."""

from __future__ import annotations

import datetime as dt
import json
import math
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from extension.errors import BadInput, ExtensionError
from extension.sources.rtsp import accidents
from extension.sources.rtsp.accidents import Accident
from extension.sources.rtsp.login import Credentials
from extension.sources.rtsp.scenes import Drawn
from extension.sources.rtsp.simulator import Plan, Simulator, checked
from extension.sources.rtsp.units import Codec

console = Console()
Answer = tuple[int, Any]


def read_fault(text: str) -> tuple[str, dict[str, Any]]:
    """A fault of the command line: `cam0:stall`, `cam1:clock_s=-3600`.

    Raises:
        BadInput: It is none.
    """
    camera, _, fault = text.partition(":")
    name, given, value = fault.partition("=")
    try:
        return camera, checked({name: float(value) if given else True})
    except ValueError as exc:
        raise BadInput(f"{text!r} is no fault: write CAMERA:FAULT or CAMERA:FAULT=NUMBER") from exc


def answer(simulator: Simulator, method: str, path: str, body: bytes) -> Answer:
    """Status and JSON answer to a control request; bad requests get 400, unknown paths 404."""
    try:
        wanted = json.loads(body or b"{}")
        if not isinstance(wanted, dict):
            return 400, {"error": "the body must be a JSON object"}
        return _answer(simulator, (method, *path.strip("/").split("/")), wanted)
    except json.JSONDecodeError:
        return 400, {"error": "the body must be JSON"}
    except BadInput as exc:
        return 400, {"error": str(exc)}


def _answer(simulator: Simulator, words: tuple[str, ...], wanted: dict[str, Any]) -> Answer:
    match words:
        case ("GET", "cameras"):
            return 200, simulator.cameras()
        case ("POST", "cameras", name, "faults"):
            return 200, simulator.change(name, wanted)
        case ("DELETE", "cameras", name, "faults"):
            return 200, simulator.mend(name)
        case ("POST", "cameras", name, "drop" | "reset" as how):
            return 200, simulator.cut(name, reset=how == "reset")
        case _:
            return 404, {
                "error": "GET /cameras, POST|DELETE /cameras/NAME/faults, POST /cameras/NAME/drop|reset"
            }


def _handler(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Control requests of one simulator."""

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, page = answer(simulator, self.command, self.path, body)
            data = json.dumps(page).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _respond  # noqa: N815 - the standard library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def control(simulator: Simulator, host: str, port: int) -> Iterator[str]:
    """Take control requests over HTTP; the address they go to. Port 0 takes a free one."""
    server = ThreadingHTTPServer((host, port), _handler(simulator))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/cameras"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main(  # noqa: PLR0913, PLR0917 - a command's options are its arguments
    files: Annotated[list[Path] | None, typer.Argument(help="Looped; without any, scenes are drawn.")] = None,
    cameras: Annotated[int, typer.Option(min=1, help="How many: cam0, cam1 ...")] = 1,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Of RTSP; 0 takes a free one.")] = 8554,
    control_port: Annotated[int, typer.Option(help="Of HTTP, to set faults; 0 takes a free one.")] = 0,
    size: Annotated[str, typer.Option(help="Of drawn scenes.")] = "640x360",
    fps: Annotated[float, typer.Option(min=1.0, help="Of drawn scenes.")] = 10.0,
    codec: Annotated[Codec, typer.Option(help="Of what is encoded here.")] = Codec.H264,
    burn: Annotated[  # noqa: FBT002 - typer's way to write a switch
        bool, typer.Option(help="Burn the wall clock into files too: encodes them anew.")
    ] = False,
    accident_s: Annotated[
        float, typer.Option(min=0.0, help="Seconds between accidents in drawn scenes, about; 0: none.")
    ] = 0.0,
    accident: Annotated[
        list[Accident] | None, typer.Option(help="Which accidents; repeatable. Default: all.")
    ] = None,
    calm_after_s: Annotated[float, typer.Option(help="No accident begins later; 0: never calm.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of when what happens.")] = 1,
    truth: Annotated[
        Path | None,
        typer.Option(help="Write each accident that is drawn to this file, a JSON object a line."),
    ] = None,
    login: Annotated[str, typer.Option(help="USER:PASSWORD that clients must have.")] = "",
    fault: Annotated[
        list[str] | None, typer.Option(help="CAMERA:FAULT[=NUMBER] from the start; repeatable.")
    ] = None,
) -> None:
    """Serve simulated cameras until interrupted. Faults: stall, refuse, deny, clockless, clock_s=N, loss=0..1, variant=1."""
    user, _, password = login.partition(":")
    planned = accidents.Plan(seed, accident_s, calm_after_s or math.inf, tuple(accident or Accident))
    try:
        plan = Plan(
            cameras=cameras,
            files=tuple(files or ()),
            size=_read_size(size),
            fps=fps,
            codec=codec,
            burn=burn,
            credentials=Credentials(user, password) if user else None,
            host=host,
            port=port,
            accidents=planned if accident_s else None,
        )
        faults = [read_fault(text) for text in fault or ()]
        with ExitStack() as done:
            tell = done.enter_context(telling(truth)) if truth else plan.tell
            _run(replace(plan, tell=tell), control_port, faults)
    except ExtensionError as exc:
        console.print(f"[red]{exc}[/red]")
        raise typer.Exit(2) from exc


@contextmanager
def telling(truth: Path) -> Iterator[Callable[[Drawn], None]]:
    """What writes accidents to a file as they are drawn: a line at the onset, another with `end_at` when it is over."""
    lock = threading.Lock()
    try:
        file = truth.open("w", encoding="utf-8")
    except OSError as exc:
        raise BadInput(f"{truth.name}: the truth cannot be written there ({exc.strerror})") from exc
    with file:

        def tell(drawn: Drawn) -> None:
            line = json.dumps(asdict(drawn), default=dt.datetime.isoformat)
            with lock:
                file.write(line + "\n")
                file.flush()

        yield tell


def _read_size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise BadInput(f"{text!r} is no size: write WIDTHxHEIGHT")
    return int(width), int(height)


def _run(plan: Plan, control_port: int, faults: Sequence[tuple[str, dict[str, Any]]]) -> None:
    stop = threading.Event()
    with Simulator(plan) as simulator, control(simulator, plan.host, control_port) as control_url:
        for camera, wanted in faults:
            simulator.change(camera, wanted)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        for page in simulator.cameras():
            print(page["url"])
        print(f"control {control_url}", flush=True)
        stop.wait()


if __name__ == "__main__":
    typer.run(main)
