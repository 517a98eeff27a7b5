"""The service is put together from the settings, and refuses to be put together wrongly."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from extension import wiring
from extension.errors import BadSettings
from extension.serve import configure_logging
from extension.settings import Settings, load
from extension.wiring import Service
from tests.pipeline.via_double import ViaDouble

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
Configure = Callable[..., Settings]


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Settings with the given environment, on a data folder of their own."""

    def made(**environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load(None, data_dir=tmp_path / "data")

    return made


@contextmanager
def _built(settings: Settings, *, page: bool = False) -> Iterator[tuple[Service, TestClient]]:
    service = wiring.build(settings, own_url="http://127.0.0.1:1", page=page)
    with TestClient(service.app) as client:
        yield service, client
    service.stop()


def test_policy_follows_the_settings(configure: Configure) -> None:
    """Every knob reaches the part that it is for."""
    settings = configure(
        EXT_CHUNK_S="7",
        EXT_FRAMES_PER_CHUNK="9",
        EXT_MERGE_GAP_S="1.5",
        EXT_PATIENCE_S="30",
        EXT_TIMEZONE="Asia/Seoul",
        EXT_VIA_ZERO_COPY="true",
        EXT_CHUNKS_PER_REQUEST="3",
        EXT_REQUESTS_IN_FLIGHT="5",
        EXT_MAX_TOKENS="99",
        EXT_MAX_FRAME_PX="1000",
        EXT_CONTACT_CM="80",
    )
    policy = wiring.policy(settings)
    assert (policy.chunk_s, policy.frames_per_chunk, policy.merge_gap_s, policy.patience_s) == (
        7,
        9,
        1.5,
        30.0,
    )
    assert (policy.chunks_per_request, policy.requests_in_flight, policy.max_tokens) == (3, 5, 99)
    assert (policy.max_frame_px, policy.contact_cm, policy.zero_copy) == (1000, 80.0, True)
    assert str(policy.timezone) == "Asia/Seoul"
    assert policy.kept.folder == settings.data_dir / "outputs"


def test_the_service_starts_and_stops(configure: Configure) -> None:
    """Worker and courier run between the two; stopping is quick and clean."""
    with ViaDouble() as via, _built(configure(VIA_BACKEND=via.url)) as (service, client):
        service.start()
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 200


def test_about_names_model_and_receivers(configure: Configure, tmp_path: Path) -> None:
    """One from the settings, one from the file; no address, no secret."""
    book = tmp_path / "receivers.yaml"
    book.write_text(f"receivers:\n  - name: archive\n    url: http://127.0.0.1:9/x\n    secret: {SECRET}\n")
    with ViaDouble() as via:
        settings = configure(
            VIA_BACKEND=via.url,
            EXT_WEBHOOK_URL="http://127.0.0.1:9/hidden",
            EXT_WEBHOOK_SECRET=SECRET,
            EXT_RECEIVERS_FILE=str(book),
        )
        with _built(settings) as (_, client):
            about = client.get("/api/v1/about").json()
    assert about["receivers"] == ["webhook", "archive"]
    assert (about["vlm_model"], about["via_backend"], about["vlm_note"]) == ("double", "connected", None)
    assert "hidden" not in json.dumps(about)


def test_metrics_hold_attempts_from_the_start(configure: Configure) -> None:
    """A counter that appears only with its first event cannot be watched."""
    with _built(configure(VIA_BACKEND="http://127.0.0.1:9")) as (_, client):
        text = client.get("/metrics").text
    for outcome in ("sent", "retried", "given_up", "store_errors"):
        assert f'timetravel_delivery_attempts_total{{outcome="{outcome}"}} 0.0' in text


def test_the_page_is_there_only_where_it_is_wanted(configure: Configure) -> None:
    """Without it Gradio is not even loaded by the service."""
    settings = configure(VIA_BACKEND="http://127.0.0.1:9")
    with _built(settings) as (_, client):
        assert client.get("/ui/").status_code == 404


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        pytest.param({"EXT_DATABASE_URL": "nonsense"}, "EXT_DATABASE_URL|database", id="database"),
        pytest.param(
            {"EXT_WEBHOOK_URL": "http://127.0.0.1:9/x", "EXT_WEBHOOK_SECRET": "short"}, "secret", id="secret"
        ),
        pytest.param({"EXT_RECEIVERS_FILE": "gone.yaml"}, r"gone\.yaml", id="receivers-file"),
    ],
)
def test_what_cannot_be_built_says_why(configure: Configure, environment: dict[str, str], named: str) -> None:
    """Before anything runs, without the secret."""
    settings = configure(VIA_BACKEND="http://127.0.0.1:9", **environment)
    with pytest.raises(BadSettings, match=named) as caught:
        wiring.build(settings, own_url="http://127.0.0.1:1", page=False)
    assert "short" not in str(caught.value)


def test_logs_are_json_lines_of_the_chosen_level(capsys: pytest.CaptureFixture[str]) -> None:
    """One line an event, for machines; quieter levels are left out."""
    import structlog

    configure_logging("warning")
    try:
        log = structlog.get_logger("test")
        log.info("unheard")
        log.warning("heard", chunks=3)
    finally:
        structlog.reset_defaults()
    (line,) = capsys.readouterr().err.splitlines()
    page = json.loads(line)
    assert (page["event"], page["level"], page["chunks"]) == ("heard", "warning", 3)
