"""The deployment a command speaks to: a running `connector up`, or what the environment names."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import click
import structlog
from pydantic import ValidationError
from pydantic_settings import SettingsError

from connector import bootstrap
from connector.errors import EnvironmentProblem
from connector.ground.environment import PREFIX, given
from connector.ground.stack import Stack, read_stack
from connector.sync.catalog import Catalogs

if TYPE_CHECKING:
    from pathlib import Path

    from connector.salesforce.gateway import Gateway
    from connector.settings import Settings
    from connector.store.session import Store


@dataclass(frozen=True)
class Deployment:
    """One deployment; its parts are made when first used."""

    settings: Settings
    stack: Stack | None

    @cached_property
    def store(self) -> Store:
        """Its database."""
        return bootstrap.open_store(self.settings, pool_size=2)

    @cached_property
    def catalogs(self) -> Catalogs:
        """Its live documents."""
        return Catalogs()

    @cached_property
    def gateway(self) -> Gateway:
        """Its org."""
        return bootstrap.open_gateway(self.settings)

    def close(self) -> None:
        """Let go of every connection that was made."""
        if "store" in self.__dict__:
            self.store.engine.dispose()
        if "gateway" in self.__dict__:
            self.gateway.close()


def deployment(data: Path) -> Deployment:
    """The deployment that runs on this data folder, else the one of the environment."""
    stack = running(data)
    if stack is not None:
        for name, value in stack.environment.items():
            os.environ.setdefault(name, value)
    log_to_stderr()
    found = Deployment(settings(), stack)
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(found.close)
    return found


def log_to_stderr() -> None:
    """Keep stdout for results."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def running(data: Path) -> Stack | None:
    """The stack on this data folder; None where none runs and the environment names a database."""
    try:
        stack = read_stack(data)
    except EnvironmentProblem as problem:
        if problem.code == "not_running" and f"{PREFIX}DATABASE_URL" in given(os.environ):
            return None
        raise
    if not stack.environment and f"{PREFIX}DATABASE_URL" not in given(os.environ):
        raise EnvironmentProblem(
            "not_ready",
            f"the connector on {data} is {stack.state}",
            "Try again in a few seconds.",
        )
    return stack


def settings() -> Settings:
    """The settings of the environment, or one sentence that names all that is wrong with them."""
    try:
        return bootstrap.load_settings()
    except ValidationError as error:
        found = [(_name(each["loc"]), each["type"], each["msg"]) for each in error.errors()]
    except SettingsError as error:
        raise EnvironmentProblem("settings", str(error), "Write that setting as JSON.") from None
    missing = [name for name, kind, _ in found if kind == "missing"]
    wrong = [f"{name}: {message}" for name, kind, message in found if kind != "missing"]
    told = [*([f"missing: {', '.join(missing)}"] if missing else []), *wrong]
    raise EnvironmentProblem(
        "settings",
        f"the settings cannot be used: {'; '.join(told)}",
        "Set them in the environment; the README names every setting.",
    )


def _name(place: tuple[int | str, ...]) -> str:
    first, *rest = place or ("",)
    return ".".join([f"{PREFIX}{str(first).upper()}", *map(str, rest)])
