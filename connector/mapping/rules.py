"""The rules that documents are checked by: each with a code that stays, and one sentence.

A problem names the rule it breaks, so that programs can tell problems apart whatever their words.
"""

from __future__ import annotations

from enum import StrEnum


class Rule(StrEnum):
    """One rule. The sentence says what has to hold."""

    sentence: str

    def __new__(cls, code: str, sentence: str) -> Rule:
        """A member that is its code and carries its sentence."""
        made = str.__new__(cls, code)
        made._value_ = code
        made.sentence = sentence
        return made

    # What can be read
    NOT_YAML = "not-yaml", "A document is YAML, without aliases and with words as keys."
    KEY_TWICE = "key-twice", "A key stands once in its block."
    UNKNOWN_KEY = "unknown-key", "Only the keys of the language may be used."
    MISSING_KEY = "missing-key", "Every needed key is there."
    WRONG_SHAPE = "wrong-shape", "A key holds what the language says it holds."
    NO_MAPPING = "no-mapping", "A folder of documents holds a mapping."
    FILE_NAME = (
        "file-name",
        "A mapping's file is called `<record kind>-<object in lower case>.yaml`.",
    )

    # What is named
    UNKNOWN_KIND = "unknown-kind", "A record kind is one that there is."
    UNKNOWN_OBJECT = "unknown-object", "An object is one that the integration user may see."
    UNKNOWN_VALUE = (
        "unknown-value",
        "A value is one of the record, or of a record it is related to.",
    )
    UNKNOWN_FIELD = "unknown-field", "A field is one that the integration user may see."
    UNKNOWN_TRANSFORM = "unknown-transform", "A transform is one that there is."
    WRONG_ARGUMENT = "wrong-argument", "A transform gets an argument of the kind it takes."
    EXPRESSION = "expression", "An expression is CEL over the names in its reach."
    CONDITION = "condition", "A condition comes to true or false."

    # Field lines
    ONE_SOURCE = "one-source", "A line has one of `line`, `constant` and `expression`."
    FIELDS_FILLED = "fields-filled", "A line names as many fields as its last transform fills."
    ONLY_TO_SALESFORCE = (
        "only-to-salesforce",
        "Only values of the record itself come from Salesforce, and no lookups.",
    )
    OTHERWISE = "otherwise", "`otherwise` goes with `values`; inbound it is one of them."
    VALUES_OUTBOUND = "values-outbound", "Going out, each of `values` stands for one value."
    VALUES_TWICE = "values-twice", "Coming in, a Salesforce value stands for one of `values`."
    VALUES_HELD = "values-held", "`values` names values as the record holds them."
    PICKLIST_VALUE = "picklist-value", "A value of a restricted picklist is one that it has."
    PICKLIST_UNMAPPED = (
        "picklist-unmapped",
        "Coming in without `otherwise`, `values` names every value of the picklist.",
    )
    NOT_INVERTIBLE = (
        "not-invertible",
        "`both` has no one-way transform, no `default` and no `otherwise`.",
    )
    ROUND_TRIP = "round-trip", "`both` gives every value back as it was sent."
    WRONG_TYPE = "wrong-type", "Transforms and fields can hold the kind of value they are given."
    VALUE_REFUSED = "value-refused", "What the document itself names, its field takes."
    TRUNCATE_BEYOND = "truncate-beyond", "`truncate` keeps no more than the field holds."
    NO_WINS = "no-wins", "`no_wins` is for values that are true or false."
    NOT_WRITABLE = "not-writable", "A field that is written can be written by the integration user."
    SET_ONCE = "set-once", "A field that is set only with a new row has `write: create`."
    LOOKUP = "lookup", "A lookup fills a reference, to an object that it may name."
    LOOKUP_UNIQUE = "lookup-unique", "A lookup goes by a field in which no two rows hold the same."

    # The mapping whole
    FIELD_TWICE = "field-twice", "A field is written by one line, and read by one."
    SOURCE_TWICE = "source-twice", "A record value comes from one field, over all mappings."
    SAME_ROW = "same-row", "A row's field is written by one mapping."
    LOOP = "loop", "What a line sends does not come back by another line into what it was made of."
    REQUIRED_FIELD = "required-field", "Every field that the object needs is filled."
    KEY_FIELD = "key-field", "The object has our key field, as an external id and unique."
    PARENT = "parent", "A parent is a reference, and one mapping makes the row it names."
    PARENTS_CYCLE = "parents-cycle", "No mapping waits for itself."
    CHILDREN = "children", "Of the rows that name this one, one is chosen, and it is only read."
    FILES = (
        "files",
        "Files are ones the record has, with a text as title, shown on rows of its own.",
    )
    OPTIONS = "options", "`values` names what the form offers, no more and no less."
    MATCH = "match", "`match` looks in fields that can be searched, and agrees on what is sent."
    ROW_OF = "row-of", "A mapping that shares a row has one other that makes it, by one relation."
    ADOPT = "adopt", "`adopt` names a parent of another mapping of the same record."
    OWNER = "owner", "New rows get one owner, whom the object may belong to."
    ON_DELETE = "on-delete", "`on_delete: erase` is for records that belong to a person."
    RECORD_TYPE = "record-type", "A record type is one that the integration user may use."
    ATOMIC = "atomic", "Rows made together know each other and go in one lane."

    # Forms, notices and messages
    FORM = "form", "A form asks questions with names, options and texts of their own."
    NOTICE = "notice", "`notices.yaml` is a list of notices with names of their own."
    MESSAGE_MISSING = "message-missing", "A notice's message is there in every language."
    MESSAGE_KIND = "message-kind", "A message belongs to one record kind."
    MESSAGE_FILE = (
        "message-file",
        "A message is `messages/<template>.<locale>.yaml`, of one to five.",
    )
    MESSAGE_LIMIT = "message-limit", "LINE takes the message."
