"""What the launcher takes from the environment: secrets to pass on by name, and where downloaded weights are kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOKEN: Final = "HF_TOKEN"  # noqa: S105 -- the name of a variable, not a secret
VLM_KEY: Final = "VLLM_API_KEY"
"""vLLM's own name for the key it asks of its clients."""


@dataclass(frozen=True)
class Surroundings:
    """The environment as the launcher sees it; it holds names of secrets, never their values."""

    hub_cache: Path
    own_cache: Path
    passed_on: tuple[str, ...]

    def cache_of(self, engine: str) -> Path:
        """Where an engine's downloaded weights are kept: vLLM shares the hub's cache with other programs."""
        return self.hub_cache if engine == "vllm" else self.own_cache / engine


def surroundings(environ: Mapping[str, str] = os.environ) -> Surroundings:
    """Read the environment."""
    caches = Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/")) / ".cache").absolute()
    hub = Path(environ.get("HF_HOME") or caches / "huggingface").absolute()
    passed_on = tuple(name for name in (TOKEN, VLM_KEY) if environ.get(name))
    return Surroundings(hub, caches / "timetravel-vlm", passed_on)
