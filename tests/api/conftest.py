"""Fixtures of the API's tests: the same suite runs on the store in memory and on the real one."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from extension.api import create_app
from tests.api.harness import Desk, StillClock, bound, make_desk, served
from tests.api.memory_shelf import MemoryShelf
from tests.api.samples import draw_clip

_REAL = importlib.util.find_spec("extension.store") is not None


@pytest.fixture
def clock() -> StillClock:
    """A clock that tests own."""
    return StillClock()


@pytest.fixture(
    params=["memory", pytest.param("store", marks=pytest.mark.skipif(not _REAL, reason="no store"))]
)
def shelf(request: pytest.FixtureRequest, tmp_path: Path, clock: StillClock) -> Iterator[Any]:
    """Each store in turn."""
    if request.param == "memory":
        yield MemoryShelf(clock)
        return
    from extension.store import Store

    store = Store.open(f"sqlite:///{tmp_path / 'test.db'}", clock)
    yield store
    store.close()


@pytest.fixture
def desk(shelf: Any, clock: StillClock, tmp_path: Path) -> Desk:
    """A service over the store at hand."""
    return make_desk(shelf, clock, tmp_path)


@pytest.fixture
def app(desk: Desk) -> FastAPI:
    """The API over that service."""
    return create_app(desk.services, "1.2.3")


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client inside the process."""
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """A real server on loopback."""
    with served(app, bound()) as address:
        yield address


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A two-second video."""
    return draw_clip(tmp_path_factory.mktemp("clip") / "yard.mp4", 2)
