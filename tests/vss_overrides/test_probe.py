"""Finding out how an endpoint reads videos, over real HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from chunk_caption import mp4
from chunk_caption.captioner import Captioner
from chunk_caption.endpoint import Endpoint, VideoForm
from chunk_caption.failures import CaptionFailed
from chunk_caption.frames import Frame
from chunk_caption.request import Question
from tests.vss_overrides import qwen_double
from tests.vss_overrides.conftest import jpeg
from tests.vss_overrides.vlm_double import Reply, VlmDouble

Maker = Callable[..., Captioner]
FRAMES = [Frame(jpeg(10), 0.0), Frame(jpeg(90), 0.4)]


def asked(captioner: Captioner) -> dict[str, Any]:
    """The report on one answer."""
    _, stats = captioner.answer(lambda: Question("What happened?", FRAMES, 2.0, {}))
    report: dict[str, Any] = json.loads(stats["reasoning_description"])
    return report


def learned(captioner: Captioner) -> Endpoint:
    """What the captioner knows of its endpoint."""
    return captioner._knowledge.surroundings(time.monotonic() + 20).endpoint


def test_frame_lists_with_times_are_found(vlm: VlmDouble, captioner_for: Maker) -> None:
    """A server that takes frame times with the request is asked no more than that."""
    vlm.reading.options = True
    endpoint = learned(captioner_for(vlm))
    assert endpoint.video_jpeg == VideoForm(fps=100.0, options=True)
    assert endpoint.uuid is True
    assert (len(vlm.probes), vlm.requests) == (2, [])


@pytest.mark.parametrize("fps", [1.0, 2.0, 4.0])
def test_a_refusal_of_options_shows_the_servers_own_clock(
    vlm: VlmDouble, captioner_for: Maker, fps: float
) -> None:
    """Read back from the text that the model is given."""
    vlm.reading.jpeg_fps = fps
    assert learned(captioner_for(vlm)).video_jpeg == VideoForm(fps=fps)


def test_left_out_frames_are_noticed(vlm: VlmDouble, captioner_for: Maker) -> None:
    """Frame lists are cut at 32 by default; longer chunks then go as mp4."""
    vlm.reading.most_frames = 32
    endpoint = learned(captioner_for(vlm))
    assert endpoint.video_jpeg == VideoForm(fps=1.0, most_frames=32)
    assert endpoint.mp4 == VideoForm(fps=2.0, most_frames=32)


def test_an_old_server_gets_an_mp4(vlm: VlmDouble, captioner_for: Maker) -> None:
    """It fails with 500 on frame lists, time after time; that is no passing trouble."""
    vlm.reading.video_jpeg = False
    captioner = captioner_for(vlm)
    assert asked(captioner)["packing"] == "mp4"
    probes = len(vlm.probes)
    assert asked(captioner)["packing"] == "mp4"
    assert len(vlm.probes) == probes


def test_without_an_encoder_an_old_server_gets_images(
    vlm: VlmDouble, captioner_for: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The container may have none."""
    vlm.reading.video_jpeg = False
    monkeypatch.setattr(mp4, "encoder", lambda: None)
    assert asked(captioner_for(vlm))["packing"] == "images"


def test_a_server_without_videos_gets_images(vlm: VlmDouble, captioner_for: Maker) -> None:
    """As most remote APIs."""
    vlm.reading.video_jpeg = vlm.reading.mp4 = False
    assert asked(captioner_for(vlm))["packing"] == "images"


def test_a_server_that_ignores_videos_gets_images(vlm: VlmDouble, captioner_for: Maker) -> None:
    """It answers 200 but counted nothing for the video: it did not look at it."""
    vlm.reading.ignores_video = True
    assert asked(captioner_for(vlm))["packing"] == "images"


@pytest.mark.parametrize("hides", ["token_ids", "detokenizes"])
def test_a_clock_that_cannot_be_read_back_is_unknown(
    vlm: VlmDouble, captioner_for: Maker, hides: str
) -> None:
    """The video was counted, so it goes as video; the model is told to go by the list."""
    setattr(vlm.reading if hides == "token_ids" else vlm, hides, False)
    captioner = captioner_for(vlm)
    assert asked(captioner)["packing"] == "video_jpeg"
    assert "list of frame times alone" in vlm.requests[0].user_parts[-1]["text"]


def test_a_server_that_forgets_hashes_gets_none(vlm: VlmDouble, captioner_for: Maker) -> None:
    """Nor does one where the setting says so."""
    vlm.reading.uuids = False
    assert learned(captioner_for(vlm)).uuid is False
    vlm.reading.uuids = True
    assert learned(captioner_for(vlm, MEDIA_UUID="off")).uuid is False


@pytest.mark.parametrize("packing", ["images", "video_jpeg", "mp4"])
def test_a_forced_packing_asks_only_what_it_needs(vlm: VlmDouble, captioner_for: Maker, packing: str) -> None:
    """Nothing for images."""
    assert asked(captioner_for(vlm, PACKING=packing))["packing"] == packing
    sent = "".join(json.dumps(probe.body) for probe in vlm.probes)
    assert ("video/jpeg" in sent, "video/mp4" in sent) == (packing == "video_jpeg", packing == "mp4")


def test_the_reference_vlm_is_not_probed(captioner_for: Maker) -> None:
    """It reads the line of times."""
    with VlmDouble(owned_by="timetravel") as vlm:
        assert asked(captioner_for(vlm))["packing"] == "video_jpeg"
        assert vlm.probes == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_that_is_not_about_videos_is_told(
    vlm: VlmDouble, captioner_for: Maker, status: int
) -> None:
    """A wrong key or model says nothing about videos; nothing is concluded from it."""
    vlm.probe_reply = Reply(status=status)
    captioner = captioner_for(vlm)
    assert asked(captioner)["error"] == "Refused"
    vlm.probe_reply = None
    assert asked(captioner)["packing"] == "video_jpeg"


@pytest.mark.parametrize("reply", [Reply(status=503), Reply(status=429), Reply(reset=True), Reply(raw=b"<")])
def test_trouble_while_probing_is_tried_again(vlm: VlmDouble, captioner_for: Maker, reply: Reply) -> None:
    """Nothing is concluded from it either."""
    vlm.probe_reply = reply
    captioner = captioner_for(vlm, RETRIES="1")
    assert asked(captioner)["error"] in ("ServerError", "Unreachable")
    vlm.probe_reply = None
    assert asked(captioner)["packing"] == "video_jpeg"


def test_many_threads_probe_once(vlm: VlmDouble, captioner_for: Maker) -> None:
    """The others wait for the first."""
    captioner = captioner_for(vlm)
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait(20)
        asked(captioner)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (vlm.models_asked, len(vlm.requests)) == (1, 8)
    assert len(vlm.probes) == 3


def test_a_waiting_thread_shares_the_failure(vlm: VlmDouble, captioner_for: Maker) -> None:
    """Instead of running into it one after the other."""
    gate = threading.Event()
    vlm.probe_reply = Reply(status=503, hold=gate)
    knowledge = captioner_for(vlm)._knowledge
    failures: list[str] = []

    def ask() -> None:
        try:
            knowledge.surroundings(time.monotonic() + 20)
        except CaptionFailed as failure:
            failures.append(failure.code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    deadline_s = time.monotonic() + 20
    while not vlm.probes and time.monotonic() < deadline_s:
        gate.wait(0.01)
    with pytest.raises(CaptionFailed, match="no time"):
        knowledge.surroundings(time.monotonic())
    gate.set()
    for thread in threads:
        thread.join(30)
    assert failures == ["ServerError"] * 4


def test_a_server_that_was_gone_is_learned_anew(vlm: VlmDouble, captioner_for: Maker) -> None:
    """What comes back may be another; one lost connection is not enough for that."""
    captioner = captioner_for(vlm)
    asked(captioner)
    vlm.script = [Reply(reset=True)]
    asked(captioner)
    assert vlm.models_asked == 1
    vlm.script = [Reply(reset=True)] * 2
    vlm.reading.video_jpeg = vlm.reading.mp4 = False
    assert asked(captioner)["packing"] == "images"
    assert vlm.models_asked == 2


def test_the_prediction_travels_and_is_exact(captioner_for: Maker) -> None:
    """Texts are counted once by the server, and not again for the next chunk with the same words."""
    with VlmDouble(max_model_len=8192) as vlm:
        captioner = captioner_for(vlm)
        reports = [asked(captioner) for _ in range(3)]
        assert {report["predicted_tokens"] for report in reports} == {
            qwen_double.count(vlm.requests[0].body, vlm.reading)
        }
        assert vlm.texts_counted == 1
        captioner.close()


def test_a_server_that_does_not_count_gets_an_estimate(captioner_for: Maker) -> None:
    """Above the truth, so that frames still fit."""
    with VlmDouble(max_model_len=8192) as vlm:
        vlm.counts = False
        captioner = captioner_for(vlm)
        assert asked(captioner)["predicted_tokens"] >= qwen_double.count(vlm.requests[0].body, vlm.reading)
        captioner.close()
