"""What the tests of the camera skill share."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlm_server.reference.skills.camera.skill import CameraMotion

FOOTAGE = Path(__file__).parents[3].parent / "shared" / "footage"


@pytest.fixture(scope="session")
def motion() -> CameraMotion:
    """One skill for all tests; it holds no state between chunks."""
    return CameraMotion()


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recordings of cameras beside the project."""
    if not (FOOTAGE / "intel_car_detection.mp4").exists():
        pytest.skip("the recordings are not beside the project")
    return FOOTAGE
