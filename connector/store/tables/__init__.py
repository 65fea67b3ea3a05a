"""All tables, typed. States are enums, partial unique indexes are the locking rules."""

from connector.store.tables.base import Base, epochs
from connector.store.tables.control import (
    Alert,
    BulkJob,
    CachedSchema,
    Hole,
    LineAccount,
    Org,
    Pruning,
    Published,
    Run,
    Stream,
)
from connector.store.tables.inbox import Effect, Received, Source, Tally
from connector.store.tables.messages import Envelope, Notice, ReplyToken
from connector.store.tables.pairs import Attempt, Conflict, MatchClaim, Outbox, Pair
from connector.store.tables.people import (
    Binding,
    Challenge,
    CodeTry,
    Consent,
    Friendship,
    Idempotency,
    Member,
    Person,
    Tombstone,
    Unit,
)
from connector.store.tables.records import History, Record, Relation

__all__ = [
    "Alert",
    "Attempt",
    "Base",
    "Binding",
    "BulkJob",
    "CachedSchema",
    "Challenge",
    "CodeTry",
    "Conflict",
    "Consent",
    "Effect",
    "Envelope",
    "Friendship",
    "History",
    "Hole",
    "Idempotency",
    "LineAccount",
    "MatchClaim",
    "Member",
    "Notice",
    "Org",
    "Outbox",
    "Pair",
    "Person",
    "Pruning",
    "Published",
    "Received",
    "Record",
    "Relation",
    "ReplyToken",
    "Run",
    "Source",
    "Stream",
    "Tally",
    "Tombstone",
    "Unit",
    "epochs",
]
