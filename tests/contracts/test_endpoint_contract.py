"""What a VLM endpoint must do for the override, on the reference server and on the real vLLM alike."""

from __future__ import annotations

import base64
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import requests

from chunk_caption import mp4
from tests.contracts.conftest import Endpoint
from tests.vss_overrides.conftest import jpeg

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vss_overrides" / "chunk_caption" / "verdict_schema_v1.json").read_text(
        "utf-8"
    )
)
VERDICT = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA}}
TEXT = {"type": "text", "text": "Report accidents as JSON."}
SHADES = (20, 80, 140, 200)


def b64(data: bytes) -> str:
    """As it stands in a data: URL."""
    return base64.b64encode(data).decode("ascii")


def picture(data: bytes) -> dict[str, Any]:
    """One picture."""
    return {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{b64(data)}"}}


def frame_list(*jpegs: bytes) -> dict[str, Any]:
    """A video as a list of JPEGs."""
    return {"type": "video_url", "video_url": {"url": "data:video/jpeg;base64," + ",".join(map(b64, jpegs))}}


def film(*jpegs: bytes) -> dict[str, Any]:
    """A video as a file."""
    encode = mp4.encoder()
    assert encode is not None
    return {"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{b64(encode(jpegs))}"}}


def frames(width_px: int = 64, height_px: int = 64) -> list[bytes]:
    """Four frames that differ."""
    return [jpeg(shade, width_px, height_px) for shade in SHADES]


def error_of(response: requests.Response) -> dict[str, Any]:
    """The error of a refusal in the full shape."""
    error: dict[str, Any] = response.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"}
    assert error["code"] == response.status_code
    return error


MEDIA = {
    "pictures": [picture(data) for data in frames()],
    "frame-list": [frame_list(*frames())],
    "odd-frame-list": [frame_list(*frames()[:3])],
    "file": [film(*frames())],
}


def test_the_models_are_listed_with_their_token_limit(endpoint: Endpoint) -> None:
    """The budget is made from it."""
    page = requests.get(f"{endpoint.url}/models", headers=endpoint.headers, timeout=20).json()
    assert page["object"] == "list"
    (card,) = page["data"]
    assert (card["id"], card["object"]) == (endpoint.model, "model")
    assert isinstance(card["owned_by"], str)
    assert card["max_model_len"] >= 4096


def test_health_needs_no_key(endpoint: Endpoint) -> None:
    """Containers are watched by it."""
    assert requests.get(f"{endpoint.root}/health", timeout=20).status_code == 200


@pytest.mark.parametrize("media", MEDIA.values(), ids=MEDIA)
def test_each_way_of_sending_frames_is_answered_in_the_schema(
    endpoint: Endpoint, media: list[dict[str, Any]]
) -> None:
    """With a finished answer and its tokens counted."""
    response = endpoint.ask([*media, TEXT], response_format=VERDICT, max_tokens=400)
    assert response.status_code == 200, response.text
    page = response.json()
    (choice,) = page["choices"]
    assert choice["finish_reason"] == "stop"
    assert jsonschema_rs.validator_for(SCHEMA).is_valid(json.loads(choice["message"]["content"]))
    usage = page["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert min(usage["prompt_tokens"], usage["completion_tokens"]) > 0


def test_pictures_cost_more_than_the_same_frames_as_a_video(endpoint: Endpoint) -> None:
    """About twice, as tokens are counted for pairs of frames."""
    large = frames(480, 256)
    costs = [
        endpoint.ask([*media, TEXT]).json()["usage"]["prompt_tokens"]
        for media in ([frame_list(*large)], [picture(data) for data in large])
    ]
    assert costs[0] < 0.6 * costs[1]


@pytest.mark.parametrize("limit", [1, 7])
def test_an_answer_at_its_token_limit_says_so(endpoint: Endpoint, limit: int) -> None:
    """It is cut off, and no JSON."""
    response = endpoint.ask([*MEDIA["frame-list"], TEXT], response_format=VERDICT, max_tokens=limit)
    (choice,) = response.json()["choices"]
    assert choice["finish_reason"] == "length"
    with pytest.raises(json.JSONDecodeError):
        json.loads(choice["message"]["content"] or "")


def test_a_wrong_model_is_named(endpoint: Endpoint) -> None:
    """In the words that the override repeats."""
    response = endpoint.ask([TEXT], model="other")
    assert response.status_code == 404
    error = error_of(response)
    assert "`other`" in error["message"]
    assert error["param"] == "model"


def test_a_wrong_key_is_refused_or_ignored(endpoint: Endpoint) -> None:
    """A server without keys takes any; one with keys says 401 and nothing about the model."""
    response = requests.get(f"{endpoint.url}/models", headers={"Authorization": "Bearer wrong"}, timeout=20)
    if endpoint.name == "vllm":
        assert (response.status_code, response.json()) == (401, {"error": "Unauthorized"})
    else:
        assert response.status_code == 200


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"messages": 7}', b"{}"], ids=["no-json", "no-object", "wrong-type", "nothing"]
)
def test_a_malformed_request_is_the_callers_mistake(endpoint: Endpoint, body: bytes) -> None:
    """400 in the full shape, never 500."""
    headers = endpoint.headers | {"Content-Type": "application/json"}
    response = requests.post(f"{endpoint.url}/chat/completions", data=body, headers=headers, timeout=60)
    assert response.status_code == 400
    assert error_of(response)["message"]


def test_an_unknown_path_is_told_in_the_short_shape(endpoint: Endpoint) -> None:
    """The second of three shapes of error bodies."""
    response = requests.post(f"{endpoint.url}/nothing", json={}, headers=endpoint.headers, timeout=20)
    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


def test_unknown_fields_are_ignored(endpoint: Endpoint) -> None:
    """A newer client can speak to an older server."""
    assert endpoint.ask([*MEDIA["pictures"], TEXT], some_new_field={"a": 1}).status_code == 200


@pytest.mark.parametrize("cut_bytes", [20, 200])
@pytest.mark.parametrize("way", ["picture", "frame-list"])
def test_a_truncated_jpeg_is_refused(endpoint: Endpoint, way: str, cut_bytes: int) -> None:
    """Also when it is one of many, and only a little short: 400, and the picture itself is not repeated."""
    whole = frames(320, 256)
    short = whole[2][:-cut_bytes]
    media = picture(short) if way == "picture" else frame_list(*whole[:2], short, whole[3])
    response = endpoint.ask([media, TEXT])
    assert response.status_code == 400
    assert "Failed to load image" in error_of(response)["message"]
    assert b64(short)[:60] not in response.text


@pytest.mark.parametrize(
    "url",
    ["data:video/jpeg;base64,", f"data:video/jpeg;base64,{b64(jpeg())},", "data:video/mp4;base64,AAAA"],
    ids=["empty-list", "trailing-comma", "no-video"],
)
def test_a_video_that_is_none_is_refused(endpoint: Endpoint, url: str) -> None:
    """400 in the full shape."""
    response = endpoint.ask([{"type": "video_url", "video_url": {"url": url}}, TEXT])
    assert response.status_code == 400
    assert error_of(response)["message"]


def test_frames_of_different_sizes_are_no_video(endpoint: Endpoint) -> None:
    """400 in the full shape."""
    response = endpoint.ask([frame_list(jpeg(10, 64, 64), jpeg(90, 96, 64)), TEXT])
    assert response.status_code == 400
    assert "same shape" in error_of(response)["message"]


def test_one_frame_is_answered_as_a_picture(endpoint: Endpoint) -> None:
    """As a video it may be refused; then with 400, in the full shape."""
    assert endpoint.ask([picture(jpeg()), TEXT]).status_code == 200
    response = endpoint.ask([frame_list(jpeg()), TEXT])
    assert response.status_code in (200, 400)
    if response.status_code == 400:
        assert error_of(response)["message"]


def test_an_address_that_is_not_base64_is_refused(endpoint: Endpoint) -> None:
    """501, which is no passing trouble although it is above 500."""
    response = endpoint.ask([{"type": "image_url", "image_url": {"url": "data:image/jpeg,abc"}}, TEXT])
    assert response.status_code == 501


def test_a_wrong_number_of_tokens_is_refused(endpoint: Endpoint) -> None:
    """None at all is a mistake of the caller."""
    response = endpoint.ask([TEXT], max_tokens=-1)
    assert response.status_code == 400
    assert "max_tokens" in error_of(response)["message"]


def test_many_at_once_are_all_answered(endpoint: Endpoint) -> None:
    """Each with an answer of its own."""
    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(endpoint.ask, [frame_list(*frames()), TEXT], max_tokens=8) for _ in range(12)]
        assert [future.result().status_code for future in asked] == [200] * 12


def test_tokens_are_counted_where_that_is_offered(endpoint: Endpoint) -> None:
    """As many as the answer then says; where it is not, 404."""
    content = [frame_list(*frames(320, 192)), TEXT]
    body = {"model": endpoint.model, "messages": [{"role": "user", "content": content}]}
    response = requests.post(f"{endpoint.root}/tokenize", json=body, headers=endpoint.headers, timeout=60)
    if endpoint.name == "vllm":
        assert response.json()["count"] == endpoint.ask(content).json()["usage"]["prompt_tokens"]
    else:
        assert response.status_code == 404


def test_a_connection_left_idle_is_closed_by_the_server(endpoint: Endpoint) -> None:
    """After about five seconds; a client must expect it."""
    host, port = re.fullmatch(r"http://([\d.]+):(\d+)", endpoint.root).groups()  # type: ignore[union-attr]  # always matches
    with socket.create_connection((host, int(port)), timeout=40) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
        received = b""
        while piece := connection.recv(4096):
            received += piece
    assert received.startswith(b"HTTP/1.1 200")
