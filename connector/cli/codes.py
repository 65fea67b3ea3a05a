"""`connector codes create`."""

from __future__ import annotations

import csv
import io
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connector.cli import output
from connector.cli.deployment import Deployment, deployment
from connector.cli.options import data_option, json_option
from connector.errors import ConnectorError, EnvironmentProblem
from connector.members import codes
from connector.sync.incoming.products import product_by_sku, salesforce_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connector.store.tables import Record, Unit

MOST = 100_000
LONGEST_SERIAL = 80
_AT_ONCE = 1000
_COLUMN = "serial"


@click.group("codes")
def command() -> None:
    """Make the codes that are printed on units as QR: one item, one code."""


@command.command("create")
@click.option("--product", "sku", required=True, metavar="SKU", help="Its Product Code.")
@click.option("--count", type=click.IntRange(1, MOST), help="How many codes, without serials.")
@click.option(
    "--serials",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE.csv",
    help="A code for each serial number: the column `serial`, else the first one.",
)
@data_option
@json_option
def create(sku: str, count: int | None, serials: Path | None, data: Path, *, as_json: bool) -> None:
    """Make codes for units of a product: a number of them, or one for each serial number.

    Prints one code a line. A product not known yet is asked of the org once.

    Example: connector codes create --product AC-100 --count 500 > codes.txt
    """
    if (count is None) == (serials is None):
        raise click.UsageError("give either --count or --serials")
    order = Order(count or 0, read_serials(serials) if serials is not None else ())
    here = deployment(data)
    product = product_by_sku(here.store, here.catalogs, here.gateway, sku)
    with progress(order.size) as bar:
        made = make(here, product, order, bar)
    if as_json:
        output.put_json(_told(here, product, made))
    else:
        for unit in made:
            output.put(codes.shown(unit.code))
        output.say(f"{len(made)} codes for {product.values.get('name') or sku}")


@dataclass(frozen=True)
class Order:
    """How many codes are wanted: a count, or one for each serial number."""

    count: int
    serials: Sequence[str]

    @property
    def size(self) -> int:
        """The number of codes."""
        return len(self.serials) or self.count

    def parts(self) -> Iterator[Order]:
        """The same order in parts, each small enough for one transaction."""
        for at in range(0, self.size, _AT_ONCE):
            yield Order(min(_AT_ONCE, self.size - at), self.serials[at : at + _AT_ONCE])


def make(here: Deployment, product: Record, order: Order, bar: Bar) -> list[Unit]:
    """Make the units, one transaction per part."""
    made: list[Unit] = []
    for part in order.parts():
        with here.store.transaction() as session:
            made += codes.make_units(session, product, count=part.count, serials=part.serials)
        bar.update(part.size)
    return made


class Bar:
    """A progress bar on stderr; none for small orders."""

    def __init__(self, shown: Any) -> None:
        self._shown = shown

    def update(self, steps: int) -> None:
        """Move on."""
        if self._shown is not None:
            self._shown.update(steps)


@contextmanager
def progress(size: int) -> Iterator[Bar]:
    """A progress bar for the length of a block, where a person watches."""
    stderr = sys.stderr
    if size <= _AT_ONCE or not stderr.isatty():
        yield Bar(None)
        return
    with click.progressbar(length=size, label="codes", file=stderr) as shown:
        yield Bar(shown)


def read_serials(file: Path) -> list[str]:
    """The serial numbers of a CSV file, in its order; blank lines do not count."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise EnvironmentProblem(
            "unreadable", f"{file} cannot be read as UTF-8 text", "Save it as CSV UTF-8."
        ) from None
    rows = csv.reader(io.StringIO(text, newline=""))
    numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    column, is_head = _column(numbered[0][1]) if numbered else (0, False)
    found = [(line, _cell(row, column)) for line, row in numbered[1 if is_head else 0 :]]
    _refuse(file, found)
    return [serial for _, serial in found]


def _column(first: list[str]) -> tuple[int, bool]:
    names = [cell.strip().casefold() for cell in first]
    return (names.index(_COLUMN), True) if _COLUMN in names else (0, False)


def _cell(row: list[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _refuse(file: Path, found: Sequence[tuple[int, str]]) -> None:
    """Everything that is wrong with the file, at once, by line."""
    if not found:
        raise ConnectorError(
            "no_serials", f"{file} names no serial number", "Put one on each line."
        )
    if len(found) > MOST:
        message = f"{file} names {len(found)} serial numbers; {MOST} at a time are the most"
        raise ConnectorError("too_many", message, "Split the file.")
    blank = [f"line {line} has none" for line, serial in found if not serial]
    long = [f"line {line}'s is too long" for line, serial in found if len(serial) > LONGEST_SERIAL]
    wrong = [*_twice(found), *blank, *long]
    if wrong:
        shown = "; ".join(wrong[:20]) + ("; and more" if len(wrong) > 20 else "")
        message = f"{file} has wrong serial numbers: {shown}"
        raise ConnectorError("wrong_serials", message, "Correct those lines; nothing was made.")


def _twice(found: Sequence[tuple[int, str]]) -> list[str]:
    lines: dict[str, list[int]] = {}
    for line, serial in found:
        if serial:
            lines.setdefault(serial, []).append(line)
    return [
        f"{serial} is on lines {', '.join(map(str, at))}"
        for serial, at in lines.items()
        if len(at) > 1
    ]


def _told(here: Deployment, product: Record, made: Sequence[Unit]) -> dict[str, Any]:
    public = here.settings.public_url.rstrip("/")
    return {
        "product": {
            "sku": product.values.get("sku"),
            "name": product.values.get("name"),
            "salesforce_id": salesforce_id_of(here.store, product),
        },
        "codes": [
            {
                "code": codes.shown(unit.code),
                "serial": unit.serial,
                "unit_id": str(unit.id),
                "url": f"{public}/r/{unit.code}",
            }
            for unit in made
        ],
    }
