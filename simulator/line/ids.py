"""Identifiers in the shapes LINE gives them."""

import itertools
import secrets
import time
import uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_message_count = itertools.count(secrets.randbelow(50_000))


def milliseconds() -> int:
    """Milliseconds since the epoch, as webhook `timestamp`s count."""
    return time.time_ns() // 1_000_000


def user_id() -> str:
    """`U` and 32 hexadecimal digits, for people and bots alike."""
    return "U" + secrets.token_hex(16)


def webhook_event_id() -> str:
    """A ULID: 48 bits of time, 80 bits of chance, in Crockford base32."""
    number = milliseconds() << 80 | secrets.randbits(80)
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def message_id() -> str:
    """A string of 18 digits that grows with time."""
    return f"{milliseconds()}{next(_message_count) % 100_000:05d}"


def reply_token() -> str:
    """A string of 32 hexadecimal digits."""
    return secrets.token_hex(16)


def long_token() -> str:
    """A quote token or a mark-as-read token."""
    return secrets.token_urlsafe(48)


def request_id() -> str:
    """The value of `x-line-request-id`."""
    return str(uuid.uuid4())
