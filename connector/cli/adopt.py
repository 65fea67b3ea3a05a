"""`connector adopt`: tie records that have no row yet to the rows that stand in the org already."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa

from connector.cli import output
from connector.cli.deployment import Deployment, deployment
from connector.cli.options import author_option, data_option, json_option
from connector.errors import ConnectorError
from connector.store.tables import Org
from connector.sync.desk import adoption
from connector.sync.desk.adoption import Census, Outcome, Prospect
from connector.sync.live.preparing import AnotherOrg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_SHOWN = 50
MOST_TOLD = 1000
_COLUMNS = tuple(each.name for each in fields(Prospect))
_UNCLEAR = (Outcome.CONFLICT, Outcome.UNKNOWN)


@click.command("adopt")
@click.option("--report", is_flag=True, help="Only tell what would be done; nothing is written.")
@click.option(
    "--csv",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --report: every record on a line of its own.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@author_option
@data_option
@json_option
def command(
    file: Path | None, author: str, data: Path, *, report: bool, yes: bool, as_json: bool
) -> int:
    """Give every record that has no row yet the one that is there already, or let it be made.

    Begin with --report: it looks rows up as the service does and says which would be taken, made or
    left for a person, and writes nothing. Without it that is carried out by the workers, in the bulk
    lane and without notices; what is not clear is parked.

    Example: connector adopt --report --csv adoption.csv
    """
    if file is not None and not report:
        raise click.UsageError("--csv goes with --report")
    here = deployment(data)
    _refuse_another_org(here)
    return _report(here, file, as_json=as_json) if report else _adopt(here, author, yes, as_json)


def _refuse_another_org(here: Deployment) -> None:
    with here.store.reading() as session:
        bound = session.scalar(sa.select(Org.organization_id).limit(1))
    found = here.gateway.organization_id()
    if bound != found:
        raise AnotherOrg(str(bound), found)


@dataclass
class Summary:
    """What a report came to; of the records themselves the first few that a person must look at."""

    counts: dict[tuple[str, str], Counter[Outcome]] = field(default_factory=dict)
    told: list[Prospect] = field(default_factory=list)
    left_off: int = 0

    def add(self, prospect: Prospect) -> None:
        """Count a record in."""
        place = (prospect.mapping, prospect.object)
        self.counts.setdefault(place, Counter())[prospect.outcome] += 1
        if prospect.outcome is Outcome.CREATE:
            return
        if len(self.told) < MOST_TOLD:
            self.told.append(prospect)
        else:
            self.left_off += 1

    @property
    def unclear(self) -> int:
        """How many records a person must look at."""
        return sum(counts[each] for counts in self.counts.values() for each in _UNCLEAR)


def _report(here: Deployment, file: Path | None, *, as_json: bool) -> int:
    census, summary = Census(here.store, here.catalogs, here.gateway), Summary()
    with ExitStack() as stack:
        write = stack.enter_context(_csv(file))
        looked = stack.enter_context(_progress(census.count()))
        for prospect in census.take(looked):
            summary.add(prospect)
            write(prospect)
    if as_json:
        output.put_json(_json(summary))
    else:
        _show(summary)
        if file is not None:
            output.say(f"every record is in {file}")
    return 1 if summary.unclear else 0


def _json(summary: Summary) -> dict[str, Any]:
    counts = [
        {"mapping": mapping, "object": name, **{each.value: found[each] for each in Outcome}}
        for (mapping, name), found in summary.counts.items()
    ]
    rows = [asdict(prospect) for prospect in summary.told]
    return {"counts": counts, "rows": rows, "left_off": summary.left_off}


def _show(summary: Summary) -> None:
    if not summary.counts:
        output.put("every record has its row")
        return
    head: list[list[object]] = [["mapping", "object", *(each.value for each in Outcome)]]
    body = [
        [mapping, name, *(found[each] for each in Outcome)]
        for (mapping, name), found in summary.counts.items()
    ]
    output.put(output.table([*head, *body]))
    unclear = [prospect for prospect in summary.told if prospect.outcome in _UNCLEAR]
    for prospect in unclear[:MOST_SHOWN]:
        output.put(f"\n  {output.paint(prospect.outcome.value, output.BAD)}  {prospect.record}")
        output.put(f"    {prospect.reason}\n    what to do: {prospect.next_step}")
    if summary.unclear > MOST_SHOWN:
        output.put(f"\n  and {summary.unclear - MOST_SHOWN} more: see them with --csv FILE")


def _adopt(here: Deployment, author: str, yes: bool, as_json: bool) -> int:
    total = Census(here.store, here.catalogs, here.gateway).count()
    if not yes and not as_json:
        click.confirm(
            f"Give rows to those of {total} records that have none?", abort=True, err=True
        )
    with _progress(total) as looked:
        wanted = adoption.adopt(here.store, here.catalogs, author, looked)
    if as_json:
        output.put_json({"wanted": wanted})
    else:
        output.put(f"{wanted} pairs are wanted; what is not clear will be in: connector dead list")
    return 0


@contextmanager
def _csv(file: Path | None) -> Iterator[Callable[[Prospect], None]]:
    """Writes prospects to a file, with the mark that lets spreadsheets read it as UTF-8."""
    if file is None:
        yield lambda _: None
        return
    try:
        place = file.open("w", encoding="utf-8-sig", newline="")
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise ConnectorError("unwritable", message, "Name another file.") from None
    with place:
        rows = csv.DictWriter(place, _COLUMNS)
        rows.writeheader()
        yield lambda prospect: rows.writerow(asdict(prospect))


@contextmanager
def _progress(size: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, where a person watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=size, label="records", file=sys.stderr) as shown:
        yield shown.update
