"""When to try again: after a wait that doubles, and for as long as bytes still advance."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fileserver.client.errors import Broken, Failed, Unreachable

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
LIVE_WAIT_S = 5.0  # at most, where somebody looks on: a browser is back after 2
LIVE_RETRIES = 80  # of these waits, a quarter less by the jitter: a server that starts anew is given some five minutes
_RETRIES_OF_NOBODY = 2  # where no server ever answered
_LONGEST_OBEYED_S = 300.0  # a server that asks for more is asked again all the same


class Patience:
    """Counts failures in a row; each byte further than ever before forgives them all."""

    def __init__(
        self,
        retries: int,
        say: Callable[[str], None],
        *,
        position: int = 0,
        longest_s: float = _LONGEST_WAIT_S,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._retries = retries
        self._say = say
        self._longest_s = longest_s
        self._wait = wait
        self._failures = 0
        self._trouble: Broken | None = None
        self._furthest = position

    def advanced(self, position: int) -> bool:
        """Forgive what was, if the transfer has never been this far; says whether."""
        if position <= self._furthest:
            return False
        self._furthest = position
        self._failures = 0
        return True

    def after(self, error: Broken) -> None:
        """Wait before the next try. Raises Failed where there were too many in a row."""
        self._failures += 1
        self._trouble = error
        retries = min(self._retries, _RETRIES_OF_NOBODY) if isinstance(error, Unreachable) else self._retries
        if self._failures > retries:
            raise Failed(
                f"{error}; given up after {self._failures} {'try' if self._failures == 1 else 'tries'}"
            ) from error
        wait_s = waiting_s(self._failures, error.retry_after_s, longest_s=self._longest_s)
        self._say(f"{error}; trying again in {wait_s:.1f} s (try {self._failures + 1} of {retries + 1})")
        self._wait(wait_s)

    def connected(self) -> None:
        """Say that a connection stands, where one had failed; that forgives nothing."""
        if self._trouble is not None:
            self._say("connected" if isinstance(self._trouble, Unreachable) else "connected again")
            self._trouble = None


def waiting_s(failures: int, retry_after_s: float = 0, *, longest_s: float = _LONGEST_WAIT_S) -> float:
    """Seconds to wait after so many failures: doubling, with jitter, and not less than the server asks."""
    backoff = min(longest_s, _FIRST_WAIT_S * 2.0 ** min(failures - 1, 16))
    jittered = backoff * random.uniform(0.5, 1)  # noqa: S311
    return max(jittered, min(retry_after_s, _LONGEST_OBEYED_S))


def retry_after_s(text: str | None, now: datetime | None = None) -> float:
    """Seconds that a Retry-After field asks for (RFC 9110 s.10.2.3); 0 where it says nothing readable.

    >>> retry_after_s("120"), retry_after_s("soon"), retry_after_s(None)
    (120.0, 0.0, 0.0)
    """
    if text is None:
        return 0.0
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (until.astimezone(UTC) - (now or datetime.now(UTC))).total_seconds())
