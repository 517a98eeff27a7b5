"""Makes one attempt to deliver one message to a webhook; the one door to requests for alerts."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Iterator

import requests
from requests.auth import AuthBase
from requests.utils import get_auth_from_url

from extension.errors import DeliveryFailed
from extension.model import Message
from extension.notify import schedule, signing
from extension.notify.deadline import Deadline, WatchedAdapter
from extension.notify.receivers import Receiver

# Standard Webhooks advises 15 to 30 seconds for an attempt.
TOTAL_S = 20.0
CONNECT_S = 5.0
# 4xx that pass: Request Timeout, Too Early, Too Many Requests.
_PASSING = frozenset({408, 425, 429})
_AGENT = "timetravel-alerts (Standard Webhooks 1.0)"


class WebhookSender:
    """Sends messages over HTTP. Safe to use from several threads; holds no connection between two attempts.

    Args:
        total_s: Longest time of an attempt from first to last, in seconds.
        connect_s: Longest wait for a connection, in seconds.
    """

    def __init__(self, total_s: float = TOTAL_S, connect_s: float = CONNECT_S) -> None:
        self._total_s = total_s
        self._connect_s = connect_s
        self._lock = threading.Lock()
        self._running: set[Deadline] = set()
        # urllib3 writes whole addresses, which may be secret, into its warnings and its debug log.
        logging.getLogger("urllib3.connection").setLevel(logging.ERROR)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)

    def send(self, receiver: Receiver, message: Message, at: dt.datetime) -> None:
        """Make one attempt; a return means that the receiver answered 2xx. No redirect is followed.

        Args:
            receiver: Where to.
            message: What; sent to the letter.
            at: Now, for the signature and for dates in Retry-After.

        Raises:
            DeliveryFailed: in words that hold neither secrets nor the address.
        """
        slow = DeliveryFailed(f"no answer in time (at most {self._total_s:g} s)", permanent=False)
        try:
            with self._deadline() as deadline:
                response = self._post(receiver, message, at, deadline)
        except requests.ConnectTimeout:
            raise DeliveryFailed(f"no connection within {self._connect_s:g} s", permanent=False) from None
        except requests.Timeout:
            raise slow from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise DeliveryFailed("its address cannot be used", permanent=True) from None
        except requests.exceptions.SSLError:
            raise DeliveryFailed("its TLS certificate is not accepted", permanent=False) from None
        except (requests.RequestException, OSError, ValueError) as exc:
            # Names only: the text of these errors quotes the address. ValueError is a reply that is not HTTP.
            broken = DeliveryFailed(f"the connection failed ({_root(exc)})", permanent=False)
            raise (slow if deadline.passed else broken) from None
        if deadline.passed:
            # Cut off in the middle of its headers: they cannot be trusted to be whole.
            raise slow
        _judge(response, at)

    def cut(self) -> None:
        """End all attempts that are running, at once; each fails as one that may be repeated."""
        with self._lock:
            for deadline in self._running:
                deadline.cut()

    def _post(
        self, receiver: Receiver, message: Message, at: dt.datetime, deadline: Deadline
    ) -> requests.Response:
        """The answer's status and headers; its body is not read, whatever its size."""
        headers = signing.headers(message.id, message.body, receiver.secrets, at)
        headers |= {"content-type": "application/json", "user-agent": _AGENT}
        with _Session(deadline) as session:
            response = session.post(
                receiver.url,
                data=message.body.encode(),
                headers=headers,
                auth=_UrlAuth(receiver.url),
                timeout=(self._connect_s, self._total_s),
                allow_redirects=False,
                stream=True,
            )
            response.close()
            return response

    @contextlib.contextmanager
    def _deadline(self) -> Iterator[Deadline]:
        deadline = Deadline(self._total_s)
        with self._lock:
            self._running.add(deadline)
        try:
            with deadline:
                yield deadline
        finally:
            with self._lock:
                self._running.discard(deadline)


class _Session(requests.Session):
    """A session that never so much as looks where a redirect leads: requests would read such an answer whole."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, WatchedAdapter(deadline))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: nothing is followed."""
        del resp
        return None


class _UrlAuth(AuthBase):
    """The credentials in the address, and none from a .netrc file of whoever runs the service."""

    def __init__(self, url: str) -> None:
        user, password = get_auth_from_url(url)
        self._basic = requests.auth.HTTPBasicAuth(user, password) if user or password else None

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        return self._basic(r) if self._basic else r


def _judge(response: requests.Response, at: dt.datetime) -> None:
    status = response.status_code
    if response.ok and not 300 <= status < 400:  # noqa: PLR2004 - HTTP status classes
        return
    if status == requests.codes.gone:
        raise DeliveryFailed("410: the receiver is gone", permanent=True)
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP status classes
        raise DeliveryFailed(f"{status}: redirects are not followed", permanent=False)
    permanent = 400 <= status < 500 and status not in _PASSING  # noqa: PLR2004 - HTTP status classes
    wait_s = None if permanent else schedule.retry_after_s(response.headers.get("retry-after"), at)
    raise DeliveryFailed(f"the receiver answered {status}", permanent=permanent, retry_after_s=wait_s)


def _root(error: BaseException) -> str:
    """Name of the first cause, such as ConnectionRefusedError."""
    while error.__context__ is not None or error.__cause__ is not None:
        error = error.__cause__ or error.__context__ or error
    return type(error).__name__
