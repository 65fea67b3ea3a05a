"""`connector mappings`: the documents that admins own, from the first check to taking a version back."""

from __future__ import annotations

import click

from connector.cli.mappings import check, drift, export, plan, preview, publish, rehearse, versions

command = click.Group(
    "mappings",
    commands=[
        check.check,
        preview.preview,
        plan.plan,
        plan.planned,
        plan.listing,
        publish.publish,
        plan.undo,
        versions.history,
        versions.diff,
        versions.rollback,
        rehearse.rehearse,
        drift.drift,
        export.export,
    ],
    help="""The documents that admins own: mappings, notices and messages.

    Editing files changes nothing until they are published.
    """,
)
