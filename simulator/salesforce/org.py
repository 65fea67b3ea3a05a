"""The whole org: data, users, allocation, cursors, and the addresses it answers at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.control.calls import CallLog
from simulator.control.journal import Journal
from simulator.salesforce.accounts import Accounts
from simulator.salesforce.arrangement import Arrangement
from simulator.salesforce.bulk.jobs import Jobs
from simulator.salesforce.credentials import TlsFiles, load_credentials, load_tls_files
from simulator.salesforce.cursors import Cursors
from simulator.salesforce.events.bus import EventBus
from simulator.salesforce.events.past import Past
from simulator.salesforce.faults import fault_board
from simulator.salesforce.grants import Grants
from simulator.salesforce.locks import RowLocks
from simulator.salesforce.metadata.catalog import Catalog
from simulator.salesforce.metadata.deployments import Deployments
from simulator.salesforce.persons import shadow_contact, with_persons
from simulator.salesforce.pubsub.managed_subscriptions import ManagedSubscriptions
from simulator.salesforce.rollups import rollup_followers
from simulator.salesforce.rulebook import Rulebook
from simulator.salesforce.schema import load_schema
from simulator.salesforce.start import plant_start_state
from simulator.salesforce.store import Follower, Row, Store
from simulator.salesforce.switches import Switches
from simulator.salesforce.usage import Usage
from simulator.salesforce.visibility import Visibility

JOURNAL_FILE = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the org answers."""

    host: str = "127.0.0.1"
    port: int = 8403
    tls_port: int = 8405
    pubsub_port: int = 8404
    has_pubsub_tls: bool = True


class SalesforceOrg:
    """One org, kept in a folder."""

    def __init__(self, folder: Path, addresses: Addresses) -> None:
        shown = "127.0.0.1" if addresses.host in {"0.0.0.0", "::"} else addresses.host
        self.instance_url = f"http://{shown}:{addresses.port}"
        self.tls_url = f"https://{shown}:{addresses.tls_port}"
        self.pubsub_endpoint = f"{shown}:{addresses.pubsub_port}"
        self.has_pubsub_tls = addresses.has_pubsub_tls
        self.credentials = load_credentials(folder)
        self.tls_files: TlsFiles = load_tls_files(folder, addresses.host)
        self.switches = Switches()
        self.locks = RowLocks(self.switches)
        self.accounts = Accounts(self.credentials, self.switches)
        self.grants = Grants(self.accounts)
        self.board = fault_board()
        self.calls = CallLog()
        self.usage = Usage()
        self.cursors = Cursors()
        self.jobs = Jobs()
        self.schema = with_persons(load_schema())
        journal, past = Journal(folder / JOURNAL_FILE), Past()
        self.store = Store(self.schema, journal, past)
        self.store.switches = self.switches
        self.store.followers = _followers(self.store)
        self.visibility = Visibility(self.store, self.switches)
        self.events = EventBus(self.store, self.visibility, journal, past)
        self.catalog = Catalog(self.schema, self.store.channels)
        self.deployments = Deployments(self.store)
        self.managed_subscriptions = ManagedSubscriptions()
        self.rulebook = Rulebook(self.store, self.visibility)
        self.arrangement = Arrangement(folder, self.switches, self.rulebook)
        if self.store.is_empty:
            plant_start_state(self.store, self.credentials)
        self.arrangement.load()

    @property
    def organization_id(self) -> str:
        """The 18-character id of the org."""
        return self.credentials.organization_id

    @property
    def audiences(self) -> frozenset[str]:
        """What an assertion may call its audience."""
        return frozenset({self.instance_url, self.tls_url})

    def reset(self) -> None:
        """Go back to the start state; the credentials stay."""
        with self.store.lock:
            self.rulebook.clear()
            self.deployments.clear()
            self.jobs.clear()
            self.managed_subscriptions.clear()
            self.store.clear()
            self.events.clear()
            plant_start_state(self.store, self.credentials)
            self.cursors.clear()
            self.locks.clear()
            self.usage.clear()
            self.arrangement.restore()

    def switch(self, wanted: Any) -> None:
        """Set the org up in another way."""
        with self.store.lock:
            self.switches.change(wanted)
            self.visibility.forget()
            self.arrangement.keep()

    def add_rule(self, wanted: Any) -> str:
        """Put a rule into force and give its id."""
        with self.store.lock:
            rule_id = self.rulebook.add(wanted)
            self.arrangement.keep()
            return rule_id

    def remove_rules(self, rule_id: str | None = None) -> bool:
        """Put one rule or all rules out of force; whether there was one."""
        with self.store.lock:
            known = rule_id is None or self.rulebook.remove(rule_id)
            if rule_id is None:
                self.rulebook.clear()
            self.arrangement.keep()
            return known

    def close(self) -> None:
        """Let go of the files."""
        self.store.close()

    def base_url(self, scheme: str) -> str:
        """The address that a client which came by this scheme should go on using."""
        return self.tls_url if scheme == "https" else self.instance_url

    def user(self, username: str) -> Row:
        """The row of a user."""
        table = self.store.tables["User"]
        (user_id,) = table.indexes["Username"].ids(username)
        return table.rows[user_id]

    def identity_url(self, username: str) -> str:
        """The address that stands for a user."""
        return f"{self.instance_url}/id/{self.organization_id}/{self.user(username)['Id']}"

    def published_credentials(self) -> dict[str, Any]:
        """The answer of `GET /_simulator/credentials`; the top level is the agent's."""
        known = self.credentials
        return {
            "instance_url": self.instance_url,
            "tls_url": self.tls_url,
            "ca_file": str(self.tls_files.ca.resolve()),
            "login_url": self.instance_url,
            "pubsub_endpoint": self.pubsub_endpoint,
            "pubsub_tls": self.has_pubsub_tls,
            "organization_id": known.organization_id,
            "username": known.agent.username,
            "password": known.password,
            "security_token": known.security_token,
            "client_id": known.agent.client_id,
            "client_secret": known.agent.client_secret,
            "access_token": self.accounts.agent_token(),
            "integration": {
                "username": known.integration.username,
                "client_id": known.integration.client_id,
                "client_secret": known.integration.client_secret,
                "private_key": known.integration.private_key,
            },
        }


def _followers(store: Store) -> Mapping[str, Sequence[Follower]]:
    found = {kind: list(each) for kind, each in rollup_followers(store).items()}
    found.setdefault("Account", []).append(shadow_contact)
    return found
