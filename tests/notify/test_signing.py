"""Signatures are those of the Standard Webhooks specification."""

from __future__ import annotations

import datetime as dt

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from extension.clock import SystemClock
from extension.notify import signing
from tests.notify.scripted import OTHER_SECRET, SECRET

_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
_BODY = '{"test": 2432232314}'


def test_the_signature_is_that_of_the_published_test_vector() -> None:
    """Secret, id, time, body and signature as the Standard Webhooks libraries' own tests have them."""
    at = dt.datetime.fromtimestamp(1614265330, dt.UTC)
    assert signing.headers(_ID, _BODY, [SECRET], at) == {
        "webhook-id": _ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("hours", [0, 9, -5])
def test_the_zone_of_the_clock_does_not_matter(hours: int) -> None:
    """The same instant in another zone gives the same headers."""
    at = dt.datetime.fromtimestamp(1614265330, dt.timezone(dt.timedelta(hours=hours)))
    assert signing.headers(_ID, _BODY, [SECRET], at)["webhook-signature"].endswith("1OE=")


@pytest.mark.parametrize("known", [SECRET, OTHER_SECRET])
def test_while_a_secret_is_rotated_either_one_verifies(known: str) -> None:
    """One signature per secret, in one header."""
    headers = signing.headers(_ID, _BODY, [SECRET, OTHER_SECRET], SystemClock().now())
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert Webhook(known).verify(_BODY, headers) == {"test": 2432232314}


def test_another_body_does_not_verify() -> None:
    """Nor does another secret."""
    headers = signing.headers(_ID, _BODY, [SECRET], SystemClock().now())
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(_BODY + " ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER_SECRET).verify(_BODY, headers)
