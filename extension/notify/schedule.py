"""When to try a delivery again. Pure."""

from __future__ import annotations

import datetime as dt
import email.utils
import math

# Waits before each attempt, in seconds. The first minute is ours: an accident alert after five minutes is nearly
# useless. The long tail is the retry table of the Standard Webhooks specification.
DELAYS_S = (
    *(0.0, 2.0, 5.0, 15.0, 30.0, 60.0),
    *(minutes * 60.0 for minutes in (5, 30)),
    *(hours * 3600.0 for hours in (2, 5, 10, 14, 20, 24)),
)
# Attempts that failed together should not return together.
_JITTER = 0.1
# No receiver may hold a message back for longer than the last wait.
LONGEST_RETRY_AFTER_S = DELAYS_S[-1]


def next_delay_s(attempts: int, chance: float, retry_after_s: float | None = None) -> float | None:
    """Seconds to wait after a failed attempt, or None to give up.

    Args:
        attempts: How many attempts were made, the failed one included.
        chance: A random number from 0 to 1, for the jitter.
        retry_after_s: What the receiver asked for; never undercut, up to a day.
    """
    if attempts >= len(DELAYS_S):
        return None
    asked_s = min(retry_after_s or 0.0, LONGEST_RETRY_AFTER_S)
    return max(DELAYS_S[attempts], asked_s) * (1.0 + _JITTER * chance)


def retry_after_s(header: str | None, now: dt.datetime) -> float | None:
    """Seconds that a Retry-After header asks for: a number or an HTTP date; None where it says nothing usable."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            at = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or dt.UTC) - now).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None
