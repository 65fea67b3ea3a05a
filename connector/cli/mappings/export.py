"""`connector mappings export`: the live documents as files."""

from __future__ import annotations

from pathlib import Path

import click

from connector.cli import output
from connector.cli.options import data_option, json_option
from connector.errors import ConnectorError, EnvironmentProblem


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--force", is_flag=True, help="Overwrite documents that are there already.")
@data_option
@json_option
def export(folder: Path, data: Path, *, force: bool, as_json: bool) -> None:
    """Write the live documents into a folder, as they were published.

    Example: connector mappings export ./from-production
    """
    from connector.cli.deployment import deployment
    from connector.sync.live.publishing import live_texts

    with deployment(data).store.reading() as session:
        texts = live_texts(session)
    if not texts:
        raise ConnectorError("nothing_live", "no document is live", "Publish a folder first.")
    there = [path for path in texts if _differs(folder / path, texts[path])]
    if there and not force:
        message = f"{folder} already holds other versions of: {', '.join(there)}"
        raise ConnectorError("would_overwrite", message, "Choose another folder, or --force.")
    for path, text in texts.items():
        _write(folder / path, text)
    if as_json:
        output.put_json({"folder": str(folder), "documents": sorted(texts)})
    else:
        output.put(f"{len(texts)} documents written to {folder}")


def _differs(file: Path, text: str) -> bool:
    return file.exists() and file.read_bytes() != text.encode("utf-8")


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8"))
    except OSError as problem:
        raise EnvironmentProblem(
            "unwritable", f"{file} cannot be written ({problem.strerror})", "Choose another folder."
        ) from None
