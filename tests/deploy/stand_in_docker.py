"""A `docker` that plays a script: script.json beside it says what is there and what fails. It runs no containers.

Keys, all optional: `daemon` (text: every command fails with it), `image` (false: it must be pulled first), `pull`
(text: pulling fails with it), `run` (text: starting fails with it), `state` (status of a container that is there
already), `dies` (the log of a server that stops at once), `exit_code`, `oom`, `restarts`, `silent` (true: the
server never answers), `models` (names the server tells), `exec` (text: commands inside fail with it).
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

HERE = Path(sys.argv[0]).resolve().parent
SERVER = """
import http.server, json, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"data": [{"id": name} for name in sys.argv[2:]]}).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *args): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
"""


def refuse(text: str, code: int = 1) -> NoReturn:
    """Fail the way docker does: words on standard error."""
    sys.stderr.write(text + "\n")
    sys.exit(code)


def run(words: list[str], script: dict[str, Any]) -> None:
    """`docker run`: a server on the published port, unless the script says otherwise."""
    if "run" in script:
        refuse(script["run"], 125)
    if not script.get("silent") and "dies" not in script:
        port = words[words.index("--publish") + 1].split(":")[1]
        names = script.get("models", ["Qwen3-VL-8B-Instruct"])
        server = subprocess.Popen(
            [sys.executable, "-IS", "-c", SERVER, port, *names],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        (HERE / "server.pid").write_text(str(server.pid))
    (HERE / "started").touch()


def inspect(script: dict[str, Any]) -> None:
    """`docker container inspect`: the container's state as JSON, and how often it restarted."""
    if not (HERE / "started").exists() and "state" not in script:
        refuse("Error response from daemon: No such container")
    started = "exited" if "dies" in script else "running"
    status = started if (HERE / "started").exists() else script["state"]
    state = {"Status": status, "ExitCode": script.get("exit_code", 0), "OOMKilled": script.get("oom", False)}
    sys.stdout.write(f"{json.dumps(state)} {script.get('restarts', 0)}\n")


def stop() -> None:
    """End the server, if one runs."""
    pid = HERE / "server.pid"
    if pid.exists():
        os.kill(int(pid.read_text()), signal.SIGKILL)
        pid.unlink()


def main(words: list[str]) -> None:
    """Play one command."""
    with (HERE / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(words) + "\n")
    script = json.loads((HERE / "script.json").read_text())
    for key in ("daemon", "pull", "exec"):
        if key in script and key in ("daemon", words[0]):
            refuse(script[key])
    if words[:2] == ["container", "inspect"]:
        inspect(script)
    elif words[:2] == ["image", "inspect"] and not script.get("image", True):
        refuse("Error response from daemon: No such image")
    elif words[0] == "run":
        run(words, script)
    elif words[0] == "logs":
        sys.stderr.write(script.get("dies", "INFO Loading weights, 3 of 4") + "\n")
    elif words[0] in ("stop", "rm"):
        stop()


main(sys.argv[1:])
