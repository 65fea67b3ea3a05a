"""The API budget of an org: a reserve stays for its other tools, and bulk work yields first."""

from __future__ import annotations

from connector.domain.lines import Lane

# The part of our own share that must still be free before a lane may spend from it.
_HEADROOM = {Lane.URGENT: 0.0, Lane.NORMAL: 0.05, Lane.BULK: 0.25}


def allow(lane: Lane, used: int, limit: int, reserve: int) -> bool:
    """Whether a lane may call; `used` of `limit` calls in 24 hours, `reserve` is left to others."""
    if limit <= 0:
        return True  # not known yet
    share = max(0, limit - reserve)
    left = share - used
    return left > 0 and left >= share * _HEADROOM[lane]
