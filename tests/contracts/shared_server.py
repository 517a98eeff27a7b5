"""One real vLLM for all workers of a test run: the first that needs it starts it, and stops it when the others have let go."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
if str(SCRIPTS) not in sys.path:
    sys.path.append(str(SCRIPTS))  # scripts are no package

import vllm_cpu  # noqa: E402 -- only importable from here on
import vllm_cpu_server  # noqa: E402 -- only importable from here on
from vllm_cpu import NotToBeHad as NotToBeHad  # noqa: E402, PLC0414 -- passed on to the fixtures
from vllm_cpu_server import MODEL as MODEL  # noqa: E402, PLC0414 -- as above
from vllm_cpu_server import Running  # noqa: E402 -- kept beside the imports above

KEY = "made-up-key"
_PATIENCE_S = 120.0


def wanted() -> bool:
    """Whether this run asks for a real vLLM: CI does, a machine that has it does, and TIMETRAVEL_VLLM=1 or 0 says so itself."""
    said = os.environ.get("TIMETRAVEL_VLLM", "")
    return said != "0" and (said == "1" or os.environ.get("CI") == "true" or vllm_cpu.home().exists())


@contextmanager
def shared(folder: Path, say: Callable[[str], object]) -> Iterator[Running]:
    """The server of this run, whose workers share `folder`. Raises NotToBeHad, in every worker for the same reason."""
    folder.mkdir(exist_ok=True)
    address = folder / "address.json"
    with (folder / "start.lock").open("w") as start, (folder / "users.lock").open("w") as users:
        fcntl.flock(start, fcntl.LOCK_EX)
        if not address.exists():
            with _started(folder, say, address) as server:
                fcntl.flock(start, fcntl.LOCK_UN)
                yield server
                address.unlink()
                _until_alone(users)
            return
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(start, fcntl.LOCK_UN)
        told = json.loads(address.read_text("utf-8"))
        if "fault" in told:
            raise NotToBeHad(told["fault"])
        yield Running(**told)


@contextmanager
def _started(folder: Path, say: Callable[[str], object], address: Path) -> Iterator[Running]:
    """A server of our own; its address, or why there is none, is left for the other workers."""
    flags = vllm_cpu_server.profile_flags()
    try:
        with vllm_cpu_server.serving(flags, folder, say, api_key=KEY) as server:
            address.write_text(json.dumps({"endpoint": server.endpoint, "pid": server.pid}), "utf-8")
            yield server
    except NotToBeHad as fault:
        address.write_text(json.dumps({"fault": str(fault)}), "utf-8")
        raise


def _until_alone(users: IO[str]) -> None:
    """Wait until no other worker uses the server."""
    until_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.05)
        else:
            return
