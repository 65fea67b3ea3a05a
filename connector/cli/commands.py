"""The table of commands. A command's module is loaded when the command is called, not before."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import click

import connector

if TYPE_CHECKING:
    from collections.abc import Mapping


class Entry(NamedTuple):
    """Where a command is, and what it does in a few words."""

    module: str
    summary: str
    hidden: bool = False


COMMANDS: Mapping[str, Entry] = {
    "up": Entry("up", "Run the whole stack with both simulators; Ctrl-C ends it."),
    "status": Entry("status", "Show the ledger, the queues, the streams and both platforms."),
    "explain": Entry(
        "explain", "Tell the story of one record, and what keeps it from being in step."
    ),
    "doctor": Entry("doctor", "Look at everything the service needs, and say how to mend it."),
    "dead": Entry("dead", "List, show, edit and bring back what is parked or dead."),
    "conflicts": Entry("conflicts", "Decide what differs on both sides, and which row is whose."),
    "ledger": Entry("ledger", "Check the ledger's equation and name the rows that break it."),
    "alerts": Entry("alerts", "List what should not be, with what to do."),
    "org": Entry("org", "Show or change the org that the database belongs to."),
    "adopt": Entry("adopt", "Give records the rows that stand in the org already; --report first."),
    "backfill": Entry("backfill", "Bring in what stands in the org already; it can be resumed."),
    "recheck": Entry("recheck", "Read records anew on both sides and merge."),
    "reconcile": Entry("reconcile", "Compare the whole org with what we hold, bucket by bucket."),
    "recover": Entry("recover", "Bring a restored database back in step with the org."),
    "erase": Entry("erase", "Take a person out of everything, here and in Salesforce."),
    "codes": Entry("codes", "Make the codes that are printed on units."),
    "mappings": Entry("mappings", "Check, publish and export the documents that admins own."),
    "salesforce": Entry("salesforce", "Install in the org what the service needs."),
    "prepare": Entry(
        "prepare", "Migrate the database and publish the starter mappings.", hidden=True
    ),
    "subscribe": Entry("subscribe", "Read what changes in the org, until stopped."),
}


class Commands(click.Group):
    """A group that finds its commands in `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, with its module loaded."""
        del ctx
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(f"connector.cli.{entry.module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, entry.summary) for name, entry in COMMANDS.items() if not entry.hidden]
            )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown command with the nearest one we have."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command takes --debug, which shows an unexpected error in full.",
)
@click.version_option(connector.__version__, prog_name="connector")
def root() -> None:
    """Keep LINE Official Accounts and Salesforce in step, both ways.

    Begin with: connector up
    """
