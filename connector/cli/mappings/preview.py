"""`connector mappings preview`: what a mapping makes of one record, both ways, before it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connector.cli import output
from connector.cli.options import data_option, json_option, reveal_option
from connector.errors import EnvironmentProblem

if TYPE_CHECKING:
    from connector.cli.deployment import Deployment
    from connector.mapping.parts.compiled import CompiledMapping
    from connector.planning.previewing import Preview


@click.command("preview")
@click.argument("mapping")
@click.argument("reference", metavar="[KIND:ID]", required=False)
@click.option(
    "--sample",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="A record written down as YAML, - for standard input: its values, each relation as a "
    "block, and under salesforce: fields of its row.",
)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Take the mapping from this folder, not from what is live.",
)
@reveal_option
@data_option
@json_option
def preview(
    mapping: str,
    reference: str | None,
    sample: Path | None,
    folder: Path | None,
    data: Path,
    *,
    reveal: bool,
    as_json: bool,
) -> None:
    """Show what MAPPING makes of one record, line by line and both ways; nothing is written.

    The record is one that is there (KIND:ID, or any other reference `connector explain` takes) or a
    --sample. What Salesforce would refuse is said with its reason.

    Example: connector mappings preview repair_request-case --sample request.yaml --from mappings
    """
    from connector.cli.deployment import deployment
    from connector.cli.mappings import showing
    from connector.sync.veil import Veil

    if (reference is None) == (sample is None):
        raise EnvironmentProblem(
            "one_record",
            "a preview needs one record: a reference or a sample",
            "Give KIND:ID, or --sample FILE.",
        )
    here = deployment(data)
    found = _found(here, _mapping(here, mapping, folder), reference, sample)
    told = showing.as_told(found, Veil(reveal))
    if as_json:
        output.put_json(told)
    else:
        output.put("\n".join(showing.lines(told)))


def _mapping(here: Deployment, name: str, folder: Path | None) -> CompiledMapping:
    from connector.cli.mappings.folders import shown_path, texts
    from connector.planning import previewing

    if folder is None:
        with here.store.reading() as session:
            return previewing.live_mapping(here.catalogs.live(session), name)
    prefix = f"{shown_path(folder)}/"
    documents = previewing.drafted(here.store, here.gateway, texts(folder), prefix)
    return previewing.drafted_mapping(documents, name)


def _found(
    here: Deployment, mapping: CompiledMapping, reference: str | None, sample: Path | None
) -> Preview:
    from connector.planning import previewing

    if reference is not None:
        return previewing.preview_record(here.store, here.gateway, mapping, reference)
    return previewing.preview_sample(mapping, *_text(sample or Path("-")))


def _text(sample: Path) -> tuple[str, str]:
    """The sample's text, and the name its problems are shown under."""
    if str(sample) == "-":
        return sys.stdin.read(), "standard input"
    try:
        return sample.read_text(encoding="utf-8"), str(sample)
    except OSError as problem:
        raise EnvironmentProblem(
            "unreadable", f"{sample} cannot be read ({problem.strerror})", "Check the path."
        ) from None
    except UnicodeDecodeError:
        raise EnvironmentProblem(
            "unreadable", f"{sample} is not UTF-8 text", "Save it as UTF-8."
        ) from None
