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
from connector.store.tables.drift import Drift, Drifted
from connector.store.tables.files import File, FileContent, Filing
from connector.store.tables.inbox import Effect, Received, Source, Tally
from connector.store.tables.messages import Envelope, Notice, ReplyToken
from connector.store.tables.pairs import Attempt, ChildRow, Conflict, MatchClaim, Outbox, Pair
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
from connector.store.tables.plans import Plan, PlanRow, PlanState, Verdict
from connector.store.tables.records import History, Record, Relation
from connector.store.tables.rehearsals import Contrast, Contrasted, Rehearsal

__all__ = [
    "Alert",
    "Attempt",
    "Base",
    "Binding",
    "BulkJob",
    "CachedSchema",
    "Challenge",
    "ChildRow",
    "CodeTry",
    "Conflict",
    "Consent",
    "Contrast",
    "Contrasted",
    "Drift",
    "Drifted",
    "Effect",
    "Envelope",
    "File",
    "FileContent",
    "Filing",
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
    "Plan",
    "PlanRow",
    "PlanState",
    "Pruning",
    "Published",
    "Received",
    "Record",
    "Rehearsal",
    "Relation",
    "ReplyToken",
    "Run",
    "Source",
    "Stream",
    "Tally",
    "Tombstone",
    "Unit",
    "Verdict",
    "epochs",
]
