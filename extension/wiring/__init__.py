"""The service put together."""

from __future__ import annotations

from extension.wiring.service import REFERENCE_MODELS, REFERENCE_NOTE, Service, build, policy

__all__ = ["REFERENCE_MODELS", "REFERENCE_NOTE", "Service", "build", "policy"]
