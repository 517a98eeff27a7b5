"""What can go wrong with one question, whether to ask again, and after how long. Pure.

Failure codes: Unreachable (no connection, or it broke), Timeout (no answer in time), Refused (the server said no and
will say no again), ServerError (it is in trouble or answered nonsense), Clipped (the answer hit its token limit),
Empty (it answered nothing), NoFrames (there was nothing to show). Where a setting is the likely cause, the message names it.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime

_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS, _SERVER_ERRORS = 408, 429, 500
_NOT_IMPLEMENTED = 501  # trouble that does not pass: vLLM says so of media that it does not read
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 20.0
_LONGEST_QUOTE = 300  # characters of a server's own words worth repeating
_DATA_URI = re.compile(r"data:[^\s\"'<>]*", re.IGNORECASE)
_LONG_RUN = re.compile(r"[A-Za-z0-9+/=_\-]{80,}")  # base64, keys, tokens
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")

KEY, MODEL, ENDPOINT = "VIA_VLM_API_KEY", "VIA_VLM_OPENAI_MODEL_DEPLOYMENT_NAME", "VIA_VLM_ENDPOINT"
_BASE_URL = f"{ENDPOINT} must be the base URL of an OpenAI-compatible server, which mostly ends in /v1"
_BAD_REQUEST, _NO_KEY, _FORBIDDEN, _NOT_FOUND, _NO_METHOD = 400, 401, 403, 404, 405
_OF_A_MODEL = {  # by status; a 400 speaks of models for many reasons
    _BAD_REQUEST: re.compile(r"(invalid|unknown|no such) model|model_not_found", re.IGNORECASE),
    _NOT_FOUND: re.compile(r"\bmodels?\b|deployment", re.IGNORECASE),
}
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"})


class CaptionFailed(Exception):
    """A question without a usable answer.

    `again`: asking once more may help; `wait_s`: what the server asked to wait; `status`: its HTTP status, where it gave one.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        again: bool = False,
        wait_s: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.again = again
        self.wait_s = wait_s
        self.status = status


def of_status(status: int, words: str, wait_s: float | None) -> CaptionFailed:
    """The failure that an HTTP status of 400 or above stands for; `words` are the server's, already cleaned."""
    said = f": {words}" if words else ""
    message = f"the VLM answered {status}{said}{_remedy(status, words)}"
    if status == _REQUEST_TIMEOUT:
        return CaptionFailed("Timeout", message, again=True, wait_s=wait_s, status=status)
    if status == _TOO_MANY_REQUESTS or (status >= _SERVER_ERRORS and status != _NOT_IMPLEMENTED):
        return CaptionFailed("ServerError", message, again=True, wait_s=wait_s, status=status)
    return CaptionFailed("Refused", message, status=status)


def _remedy(status: int, words: str) -> str:
    """The setting to change, where a refusal tells which."""
    if status in (_NO_KEY, _FORBIDDEN):
        return f" (mend {KEY})"
    if status in _OF_A_MODEL and _OF_A_MODEL[status].search(words):
        return f" (mend {MODEL})"
    if status in (_NOT_FOUND, _NO_METHOD):
        return f" ({_BASE_URL})"
    return ""


def of_connection(error: BaseException) -> CaptionFailed:
    """The failure that a connection which broke or never came about stands for.

    A certificate that is not trusted, and a server that speaks no TLS, will be the same the next time.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            said = f"the VLM's certificate is not trusted: {cause.verify_message}"
            return CaptionFailed(
                "Refused", f"{said} (mend {ENDPOINT}, or name its authority's file in SSL_CERT_FILE)"
            )
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return CaptionFailed("Refused", f"the VLM speaks no TLS ({ENDPOINT} must begin with http://)")
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return CaptionFailed("Unreachable", f"the VLM's host is not known (mend {ENDPOINT})", again=True)
    name = type(causes[min(1, len(causes) - 1)]).__name__
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        said = f"nobody listens there; start the VLM, or mend {ENDPOINT}"
        return CaptionFailed("Unreachable", f"the connection to the VLM failed ({name}): {said}", again=True)
    return CaptionFailed(
        "Unreachable", f"the connection to the VLM failed ({name}; see {ENDPOINT})", again=True
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def of_nonsense(said: str) -> CaptionFailed:
    """The failure of an answer that is none of this API's; a gateway in front of a server that restarts may give it too."""
    return CaptionFailed("ServerError", f"the VLM answered {said} ({_BASE_URL})", again=True)


def pause_s(attempt: int, failure: CaptionFailed, chance: Callable[[], float]) -> float:
    """Seconds to wait after attempt number `attempt` (from 0).

    What the server asked for, else twice as long each time, spread by `chance` (0..1) over the upper half so that
    clients do not return in step.
    """
    if failure.wait_s is not None:
        return failure.wait_s
    ceiling = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(attempt, 16))
    return ceiling * (0.5 + 0.5 * chance())


def retry_after_s(header: str | None, now_s: float) -> float | None:
    """Seconds that a Retry-After header asks for; it holds seconds or a date. `now_s` is the Unix time. None: unreadable."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - now_s
        except ValueError:
            return None
    return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124 -- only NaN differs from itself


def cleaned(words: str, secret: str) -> str:
    """`words` fit for a log or an answer: no key, no credentials, no data URI, no long run of base64, one short line."""
    if len(secret) > 4:  # noqa: PLR2004 -- the stand-in for "no key" is an English word, not a secret
        words = words.replace(secret, "[key]")
    words = _USER_INFO.sub("", _LONG_RUN.sub("[...]", _DATA_URI.sub("[data]", words[:20_000])))
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST_QUOTE else words[:_LONGEST_QUOTE] + "..."
