"""The agent's desk: the org's lists and records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.browser.story.phone import PATIENCE_MS


@dataclass
class Desk:
    """The Salesforce simulator's page, used as an agent uses it."""

    page: Any
    url: str

    def lists(self, kind: str) -> None:
        """Turns to a list and leaves it open."""
        self.page.goto(f"{self.url}/?tab={kind}")

    def sees(self, words: str) -> Any:
        """Wait for a row of the open list; nothing is reloaded meanwhile."""
        row = self.page.locator("tr[data-row]", has_text=words).first
        row.wait_for(timeout=PATIENCE_MS)
        return row

    def opens(self, words: str) -> None:
        """Opens that row."""
        self.sees(words).locator("a").first.click()
        self.page.locator("#record").wait_for()

    def sets_status(self, value: str) -> None:
        """Taps a status."""
        chip = self.page.locator(f"#chips [value='{value}']")
        chip.click()
        self.page.locator(f"#chips [value='{value}'][aria-pressed=true]").wait_for()

    def follows_to(self, related: str) -> None:
        """Opens the first row of a related list."""
        self.page.locator(f"[data-related={related}] dd a").first.click()
        self.page.locator(f"#record[data-kind={related}]").wait_for()

    def appoints(self, moment: str) -> None:
        """Gives the WorkOrder a start (YYYY-MM-DDTHH:MM in Taipei)."""
        self.page.locator("#appointment").fill(moment)
        self.page.locator("#appoint").click()
        self.saved()

    def corrects(self, name: str, value: str) -> None:
        """Types another value and saves."""
        self.page.locator(f"#f-{name}").fill(value)
        self.page.locator("#save").click()
        self.saved()

    def saved(self) -> None:
        """Wait for the org to say so."""
        self.page.locator("#toast.on:not(.bad)").wait_for()
