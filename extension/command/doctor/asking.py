"""Asks one address over HTTP and says in a sentence why there is no answer, naming the setting to change."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NoAnswer(Exception):
    """There is no answer; `detail` says why and `fix` what to do."""

    def __init__(self, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Asked:
    """One address to ask.

    Attributes:
        url: The base URL.
        setting: The name of the setting that holds it, or of the log of a program that was started for it.
        what: What stands there, for people.
        key: A bearer token, or empty.
    """

    url: str
    setting: str
    what: str
    key: str = ""

    @property
    def mend(self) -> str:
        """Where to begin when it is not as it should be."""
        return f"see {self.setting}" if self.setting.endswith(".log") else f"mend {self.setting}"

    def fetch(self, method: str, path: str, timeout_s: float, **options: Any) -> requests.Response:
        """Whatever HTTP answer there is to `path` below the URL.

        Raises:
            NoAnswer: when there is none.
        """
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            with requests.Session() as session:
                # No proxy for this machine; trust what the programs that will call this address trust.
                session.trust_env = urlsplit(self.url).hostname not in LOOPBACK
                session.verify = _trusted()
                return session.request(
                    method,
                    self.url + path,
                    headers=headers,
                    timeout=timeout_s,
                    allow_redirects=False,
                    **options,
                )
        except requests.RequestException as exc:
            raise self._why(exc) from None
        except (UnicodeError, ValueError):
            raise NoAnswer("its address or key cannot be used", self.mend) from None

    def page(self, path: str, timeout_s: float) -> Any:
        """The JSON value at `path`.

        Raises:
            NoAnswer: when there is none.
        """
        response = self.fetch("GET", path, timeout_s)
        if not response.ok or response.is_redirect:
            raise NoAnswer(f"answers {path} with {response.status_code}", self.mend)
        try:
            return response.json()
        except ValueError:
            raise NoAnswer(f"answers {path} with something that is no JSON", self.mend) from None

    def _why(self, exc: requests.RequestException) -> NoAnswer:
        causes = _causes(exc)
        host = urlsplit(self.url).hostname
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return NoAnswer(
                    f"its certificate is not trusted: {cause.verify_message}",
                    f"{self.mend}, or name its authority's file in SSL_CERT_FILE",
                )
        if any(isinstance(cause, ssl.SSLError) for cause in causes):
            return NoAnswer(
                "the secure connection (TLS) does not come about",
                f"{self.setting} may have to begin with http://",
            )
        if any(isinstance(cause, socket.gaierror) for cause in causes):
            return NoAnswer(f"the host {host} is not known", self.mend)
        if isinstance(exc, requests.Timeout):
            return NoAnswer("does not answer in time", f"see whether {self.what} is busy, or {self.mend}")
        if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
            return NoAnswer("nobody listens there", f"start {self.what}, or {self.mend}")
        return NoAnswer(
            "the connection broke", f"{self.setting} may have to begin with https://, or name another port"
        )


def skew_s(response: requests.Response, now: dt.datetime) -> float | None:
    """How far the other side's clock is ahead of ours, in seconds, by its Date header; None when it sends none."""
    try:
        return (parsedate_to_datetime(response.headers["date"]) - now).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None


def _trusted() -> str | bool:
    """The machine's own store of authorities, or what SSL_CERT_FILE names, which OpenSSL reads itself."""
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True


def _causes(exc: BaseException) -> list[BaseException]:
    """An error and all that it wraps: as cause, as context, as argument or as urllib3's `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [exc]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found
