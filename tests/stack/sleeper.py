"""A child program for tests: answers on a port, can be told to die, and starts nothing of its own."""

from __future__ import annotations

import argparse
import http.server
import os
import sys
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers 200, dies on /die."""

    def do_GET(self) -> None:
        """Answer, or die."""
        if self.path == "/die":
            os._exit(3)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Stay quiet."""


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--port-file", type=Path)
parser.add_argument("--fail", action="store_true")
arguments = parser.parse_args()
if arguments.fail:
    sys.exit("no such luck")
server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
arguments.port_file.write_text(str(server.server_port))
server.serve_forever()
