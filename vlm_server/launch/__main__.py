"""`python -m vlm_server.launch`: starts a VLM server from a profile, or prints the exact command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from vlm_server.launch.command import BadRequest, Wanted, docker_run, env_lines, shown
from vlm_server.launch.faults import LaunchFailed
from vlm_server.launch.profile import DEFAULT, BadProfile, Profile, load, names
from vlm_server.launch.settings import VLM_KEY, surroundings
from vlm_server.launch.starting import Patience, start

out = Console(highlight=False, soft_wrap=True, markup=False)
err = Console(highlight=False, soft_wrap=True, markup=False, stderr=True)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="scripts/vlm.sh", description="Starts a VLM server from a profile.")
    parser.add_argument("--profile", default=DEFAULT, help=f"one of: {', '.join(names())}")
    parser.add_argument(
        "--list", action="store_true", help="list the profiles, and the switches of the chosen one"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the docker command and start nothing")
    parser.add_argument("--model-dir", type=Path, help="folder with the weights; default: download them")
    parser.add_argument("--port", type=_port, help="port on this machine; default: the profile's")
    parser.add_argument("--bind", default="0.0.0.0", help="address of this machine to listen on (all)")
    parser.add_argument("--gpus", help="all, a number, device=0,1, or none")
    parser.add_argument("--with", dest="switches", action="append", default=[], metavar="SWITCH[=VALUE]",
                        help="turn a switch of the profile on; can be repeated")  # fmt: skip
    parser.add_argument("--wait", type=float, default=1800.0, help="longest wait for the server, in seconds")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Exit code 0: it serves, or the command is printed; 1: it does not, and why was said; 2: wrong usage."""
    chosen = arguments(given)
    try:
        if chosen.list:
            return _list(chosen.profile)
        return _launch(load(chosen.profile), chosen)
    except (BadProfile, BadRequest) as exc:
        err.print(f"[vlm] {exc}")
        return 2
    except LaunchFailed as failed:
        err.print(f"[vlm] {failed.advice.sentence}", style="red")
        if failed.detail:
            err.print(f"      {failed.detail}", style="dim")
        err.print(f"      What to do: {failed.advice.todo}")
        return 1
    except KeyboardInterrupt:
        err.print("[vlm] stopped waiting; the container, if started, goes on by itself")
        return 1


def _launch(profile: Profile, chosen: argparse.Namespace) -> int:
    if not profile.is_container:
        out.print(f"# {profile.title}\n# There is no container to start. Lines for .env:")
        _print_settings(profile, chosen)
        return 0
    around = surroundings()
    wanted = Wanted(
        cache_dir=around.cache_of(profile.engine),
        model_dir=chosen.model_dir.absolute() if chosen.model_dir else None,
        port=chosen.port,
        bind=chosen.bind,
        gpus=chosen.gpus,
        switches=tuple(
            (name, value if is_set else None) for name, is_set, value in map(_split, chosen.switches)
        ),
        pass_on=around.passed_on,
    )
    if chosen.dry_run:
        out.print(shown(docker_run(profile, wanted)))
        return 0
    if profile.engine == "vllm" and VLM_KEY not in around.passed_on and not chosen.bind.startswith("127."):
        _say(
            f"note: whoever reaches {chosen.bind} may use the VLM; set {VLM_KEY}, or keep the port behind a firewall"
        )
    took_s = start(profile, wanted, Patience(chosen.wait), _say)
    _say(f"{profile.served_name} serves on port {wanted.port or profile.port} after {took_s:.0f} s")
    out.print("# Lines for .env:")
    _print_settings(profile, chosen)
    return 0


def _print_settings(profile: Profile, chosen: argparse.Namespace) -> None:
    port = chosen.port or profile.port
    for name, value in env_lines(profile, port, seen_from="127.0.0.1").items():
        out.print(f"{name}={value}")
    if profile.is_container:
        seen = env_lines(profile, port, seen_from="host.docker.internal")["VIA_VLM_ENDPOINT"]
        out.print(f"VIA_SERVER_VLM_ENDPOINT={seen}")
    for note in profile.notes:
        out.print(f"# {note}")


def _list(shown_whole: str) -> int:
    """Every profile in a line; of the chosen one also the switches and notes."""
    for name in names():
        profile = load(name)
        need = f"{profile.gpu.memory_gb:.0f} GB of GPU" if profile.gpu else "no GPU"
        out.print(f"{name:24} {profile.title} ({need}; {profile.measured_on})")
        if name != shown_whole:
            continue
        for switch, what in profile.switches.items():
            out.print(f"    --with {switch}{'=N' if what.value else ''}: {what.about}")
        for note in profile.notes:
            out.print(f"    {note}")
    return 0


def _split(text: str) -> tuple[str, bool, str]:
    name, equals, value = text.partition("=")
    return name, bool(equals), value


def _say(text: str) -> None:
    err.print(f"[vlm] {text}", style="dim")


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:  # noqa: PLR2004 -- TCP's own bound
        raise argparse.ArgumentTypeError("a port lies between 1 and 65535")
    return number


if __name__ == "__main__":
    sys.exit(main())
