"""Signs messages by the Standard Webhooks scheme, version 1 (HMAC-SHA256); the one door to its library for sending."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from standardwebhooks import Webhook


def headers(message_id: str, body: str, secrets: Iterable[str], at: dt.datetime) -> dict[str, str]:
    """The three headers of one attempt.

    Args:
        message_id: The receiver's idempotency key, the same for every attempt.
        body: The exact text that is sent.
        secrets: One signature is made with each, so that a receiver may know either while one is rotated out.
        at: When this attempt is made.
    """
    signed_at = at.astimezone(dt.UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(signed_at.timestamp())),
        "webhook-signature": " ".join(
            Webhook(secret).sign(msg_id=message_id, timestamp=signed_at, data=body) for secret in secrets
        ),
    }
