"""Sends one request to the VLM endpoint with the openai library, once, and reads the answer within a deadline.

It never retries: `captioner` decides that. An answer is read piece by piece, so that a server which trickles
bytes cannot outlast the deadline, nor one which talks without end fill the memory.
"""

from __future__ import annotations

import importlib
import json
import time
from contextlib import AbstractContextManager
from typing import Any

import openai
from openai import DefaultHttpxClient, OpenAI

from chunk_caption.config import Config
from chunk_caption.endpoint import Endpoint
from chunk_caption.failures import (
    CaptionFailed,
    cleaned,
    of_connection,
    of_nonsense,
    of_status,
    retry_after_s,
)

_MOST_ANSWER_BYTES = 4 * 1024 * 1024
_CONNECT_S = 10.0
_LOOKUP_S = 10.0  # for questions that need no model; a server that takes longer is in trouble


def _transport_error() -> type[Exception]:
    """The root of the errors of the HTTP library below this openai: httpx2 below openai 3, httpx below 1 and 2."""
    names = (parent.__module__.partition(".")[0] for parent in DefaultHttpxClient.__mro__)
    library = importlib.import_module(next(name for name in names if name.startswith("httpx")))
    error: type[Exception] = library.HTTPError
    return error


class Client:
    """One connection pool to one endpoint; safe to use from many threads. Building it calls nobody."""

    def __init__(self, config: Config) -> None:
        self._secret = config.api_key
        self._transport_error = _transport_error()
        self._root = (
            config.endpoint.rpartition("/")[0] if config.endpoint.endswith("/v1") else config.endpoint
        )
        self._openai = OpenAI(base_url=config.endpoint, api_key=config.api_key, max_retries=0)

    def endpoint(self, model: str, deadline_s: float) -> Endpoint | None:
        """What `GET /models` says of `model` before `deadline_s` (monotonic clock).

        An endpoint that refuses the question is one of which nothing is known; None means that it could not say now.
        Raises CaptionFailed when it cannot be reached.
        """
        api = self._openai.with_options(timeout=self._timeout(min(deadline_s, time.monotonic() + _LOOKUP_S)))
        try:
            told = self._fetch(api.models.with_streaming_response.list(), deadline_s)
        except CaptionFailed as failure:
            if failure.code in ("Unreachable", "Timeout"):
                raise
            return None if failure.again else Endpoint()
        return _endpoint_of(told, model)

    def complete(self, body: dict[str, Any], deadline_s: float) -> dict[str, Any]:
        """The chat completion for `body`, as its JSON object. Raises CaptionFailed."""
        api = self._openai.with_options(timeout=self._timeout(deadline_s))
        rest = {key: value for key, value in body.items() if key not in ("model", "messages")}
        call = api.chat.completions.with_streaming_response.create(
            model=body["model"], messages=body["messages"], extra_body=rest
        )
        told = self._fetch(call, deadline_s)
        if "choices" not in told:
            words = cleaned(_words(told), self._secret)
            raise of_nonsense(f"no chat completion{words and f' but: {words}'}")
        return told

    def root(self, path: str, body: dict[str, Any], deadline_s: float) -> dict[str, Any] | None:
        """What a POST to `path`, beside the API's version (vLLM's /tokenize), answers; None when nothing useful."""
        api = self._openai.with_options(timeout=self._timeout(min(deadline_s, time.monotonic() + _LOOKUP_S)))
        try:
            told: object = api.post(self._root + path, cast_to=object, body=body)
        except (openai.OpenAIError, self._transport_error, ValueError):
            return None
        return told if isinstance(told, dict) else None

    def close(self) -> None:
        """Close the connections."""
        self._openai.close()

    def _timeout(self, deadline_s: float) -> openai.Timeout:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise CaptionFailed("Timeout", "no time was left to ask the VLM")
        return openai.Timeout(left_s, connect=min(_CONNECT_S, left_s))

    def _fetch(self, call: AbstractContextManager[Any], deadline_s: float) -> dict[str, Any]:
        try:
            with call as response:
                return _object(_read(response, deadline_s))
        except openai.APITimeoutError:
            raise CaptionFailed("Timeout", "the VLM did not answer in time", again=True) from None
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except (openai.APIConnectionError, self._transport_error) as error:
            raise of_connection(error) from None
        except openai.OpenAIError as error:
            raise CaptionFailed("ServerError", cleaned(str(error), self._secret)) from None

    def _refusal(self, error: openai.APIStatusError) -> CaptionFailed:
        wait_s = retry_after_s(error.response.headers.get("retry-after"), time.time())
        return of_status(error.status_code, cleaned(_words(error.body), self._secret), wait_s)


def _read(response: Any, deadline_s: float) -> bytes:
    pieces, size = [], 0
    for piece in response.iter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > _MOST_ANSWER_BYTES:
            raise CaptionFailed("ServerError", "the VLM's answer is larger than 4 MiB")
        if time.monotonic() > deadline_s:
            raise CaptionFailed("Timeout", "the VLM did not finish its answer in time")
    return b"".join(pieces)


def _object(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise of_nonsense("something that is no JSON object")
    return told


def _endpoint_of(told: dict[str, Any], model: str) -> Endpoint:
    listed = told.get("data")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    found = next((entry for entry in entries if entry.get("id") == model), entries[0] if entries else {})
    limit = found.get("max_model_len")
    return Endpoint(
        owned_by=str(found.get("owned_by", "")),
        max_model_len=limit if isinstance(limit, int) and limit > 0 else None,
    )


def _words(body: object) -> str:
    """The sentence in an error body: `{"error": {"message": ...}}`, `{"error": ...}`, `{"detail": ...}`, or plain text.

    The library has already taken the value of "error" out where that is an object.
    """
    if isinstance(body, dict):
        inner = body.get("message") or body.get("error") or body.get("detail") or ""
        return _words(inner)
    return body if isinstance(body, str) and not body.lstrip().startswith("<") else ""  # no web pages
