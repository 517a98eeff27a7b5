"""The REST API: an outside for the store and the worker. It decides nothing about accidents and talks to no VLM itself."""

from __future__ import annotations

from extension.api.app import create_app
from extension.api.ports import Services

__all__ = ["Services", "create_app"]
