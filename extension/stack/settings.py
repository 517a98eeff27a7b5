"""The environment that child programs get; one of the few modules that read ours."""

from __future__ import annotations

import os


def child_environment(**changes: str) -> dict[str, str]:
    """The environment for a child program: ours, with `changes`; a proxy is never asked for this machine itself."""
    spared = [os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or "", "127.0.0.1", "localhost"]
    no_proxy = ",".join(filter(None, spared))
    return {**os.environ, "NO_PROXY": no_proxy, "no_proxy": no_proxy, **changes}
