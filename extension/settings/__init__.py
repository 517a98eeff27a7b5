"""Every knob of the service."""

from __future__ import annotations

from extension.settings.cameras import CameraSettings
from extension.settings.settings import BESIDE, OVERRIDE_PREFIX, PREFIX, Settings, load

__all__ = ["BESIDE", "OVERRIDE_PREFIX", "PREFIX", "CameraSettings", "Settings", "load"]
