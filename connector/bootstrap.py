"""The one place that picks concrete things: what settings mean, which client talks to whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from connector.line.accounts import LineHosts, OfficialAccount
from connector.line.identity import IdTokenVerifier
from connector.line.sms import HttpSms, NoSms, SmsSender
from connector.settings import LineAccountSettings, Settings, load_settings
from connector.store.session import Store, Wake

if TYPE_CHECKING:
    from connector.line.sender import LineClient
    from connector.members.tombstones import Tombstones
    from connector.salesforce.access import OrgAccess
    from connector.salesforce.gateway import Gateway
    from connector.salesforce.installation.org import InstallingOrg
    from connector.sync.catalog import Catalogs
    from connector.sync.incoming.inbox import Reader
    from connector.sync.live.guarding import OrgGuard
    from connector.sync.messaging.envelopes import Postman
    from connector.sync.messaging.quiet import QuietHours
    from connector.sync.outgoing.delivery import Delivery
    from connector.sync.privacy.retention import Retention
    from connector.sync.reading.reconciling import Reconciliation
    from connector.sync.reading.streams import StreamReader
    from connector.sync.reading.topics import TopicReader

__all__ = ["STARTER", "System", "accounts", "load_settings", "open_gateway", "open_store"]

STARTER = Path(__file__).resolve().parent.parent / "mappings"


def _asleep(queue: str) -> None:
    del queue


def open_store(settings: Settings, wake: Wake | None = None, *, pool_size: int = 10) -> Store:
    """The database of these settings; without `wake` the sweep finds what was committed."""
    return Store.open(
        settings.database_url.get_secret_value(), wake or _asleep, pool_size=pool_size
    )


def accounts(settings: Settings) -> tuple[OfficialAccount, ...]:
    """The official accounts of these settings."""
    return tuple(_account(account) for account in settings.line_accounts)


def _account(account: LineAccountSettings) -> OfficialAccount:
    previous = account.previous_channel_secret
    return OfficialAccount(
        provider_id=account.provider_id,
        bot_user_id=account.bot_user_id,
        basic_id=account.basic_id,
        channel_id=account.channel_id,
        channel_secret=account.channel_secret.get_secret_value(),
        previous_channel_secret=previous.get_secret_value() if previous else None,
        login_channel_id=account.login_channel_id,
        liff_id=account.liff_id,
    )


def line_hosts(settings: Settings) -> LineHosts:
    """Where LINE's hosts are."""
    return LineHosts(settings.line_api_url.rstrip("/"), settings.line_data_url.rstrip("/"))


def line_client(settings: Settings) -> LineClient:
    """The client of the LINE Messaging API."""
    from connector.line.sender import LineClient

    return LineClient(accounts(settings), line_hosts(settings))


def verifier(settings: Settings) -> IdTokenVerifier:
    """Checks the ID tokens that our pages send."""
    return IdTokenVerifier(accounts(settings), line_hosts(settings), lambda: datetime.now(UTC))


def tombstones(settings: Settings) -> Tombstones:
    """The tombstones of these settings: under another secret key none is found again."""
    from connector.members.tombstones import Tombstones

    return Tombstones(settings.secret_key.get_secret_value())


def sms_sender(settings: Settings) -> SmsSender:
    """The way one-time codes leave; without a gateway they are refused with a clear error."""
    if settings.sms_url is None:
        return NoSms()
    token = settings.sms_token.get_secret_value() if settings.sms_token else ""
    return HttpSms(settings.sms_url, token)


def open_gateway(settings: Settings) -> Gateway:
    """The seam to the org of these settings."""
    from connector.salesforce.gateway import Gateway

    return Gateway(org_access(settings))


def open_installing_org(settings: Settings) -> InstallingOrg:
    """The same org, entered to install in it."""
    from connector.salesforce.installation.org import InstallingOrg

    return InstallingOrg(org_access(settings))


def org_access(settings: Settings) -> OrgAccess:
    """How the org of these settings is reached and entered."""
    from connector.salesforce.access import OrgAccess

    secret, key = settings.salesforce_client_secret, settings.salesforce_private_key
    refresh, ca_file = settings.salesforce_refresh_token, settings.salesforce_ca_file
    return OrgAccess(
        login_url=settings.salesforce_login_url,
        flow=settings.salesforce_flow,
        client_id=settings.salesforce_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        username=settings.salesforce_username,
        private_key=key.get_secret_value() if key else None,
        refresh_token=refresh.get_secret_value() if refresh else None,
        api_version=settings.salesforce_api_version,
        ca_file=str(ca_file) if ca_file else None,
    )


def catalogs() -> Catalogs:
    """The live documents, compiled when they change."""
    from connector.sync.catalog import Catalogs

    return Catalogs()


def waker() -> Wake:
    """What wakes the queues. `jobs` stands above this package, so it is named here and not imported."""
    wake: Wake = import_module("jobs.wake").wake
    return wake


def links(settings: Settings) -> Callable[[OfficialAccount], Mapping[str, str]]:
    """The LIFF addresses that messages may name, for an official account."""
    base = settings.liff_base.rstrip("/")

    def of(account: OfficialAccount) -> Mapping[str, str]:
        return {
            name: f"{base}/{account.liff_id}/{name}"
            for name in ("bind", "register", "repair", "requests")
        }

    return of


@dataclass(frozen=True)
class System:
    """A worker's world, each part made when first used."""

    settings: Settings
    wake: Wake

    @cached_property
    def store(self) -> Store:
        """The database."""
        return open_store(self.settings, self.wake)

    @cached_property
    def catalogs(self) -> Catalogs:
        """The live documents."""
        from connector.sync.catalog import Catalogs

        return Catalogs()

    @cached_property
    def gateway(self) -> Gateway:
        """The org."""
        return open_gateway(self.settings)

    @cached_property
    def line(self) -> LineClient:
        """LINE."""
        return line_client(self.settings)

    @cached_property
    def accounts(self) -> Mapping[str, OfficialAccount]:
        """The official accounts by bot user id."""
        return {account.bot_user_id: account for account in accounts(self.settings)}

    @cached_property
    def lease(self) -> timedelta:
        """How long a claim is good for."""
        return timedelta(seconds=self.settings.lease_seconds)

    @cached_property
    def reader(self) -> Reader:
        """Reads the inbox."""
        from connector.sync.incoming.inbox import Reader
        from connector.sync.incoming.line_events import Profiles

        profiles = Profiles(self.store, self.line, self.accounts)
        return Reader(self.store, self.catalogs, profiles, self.lease, tombstones(self.settings))

    @cached_property
    def delivery(self) -> Delivery:
        """Delivers to Salesforce."""
        from connector.sync.outgoing.bulk_delivery import BulkDelivery
        from connector.sync.outgoing.delivery import Delivery
        from connector.sync.outgoing.governing import Governor

        governor = Governor(self.gateway, self.settings.salesforce_reserve)
        return Delivery(
            self.store,
            self.catalogs,
            self.gateway,
            governor,
            self.guard,
            self.lease,
            BulkDelivery(self.store, self.gateway),
        )

    @cached_property
    def guard(self) -> OrgGuard:
        """Keeps another org out."""
        from connector.sync.live.guarding import OrgGuard

        return OrgGuard(self.store, self.gateway)

    @cached_property
    def postman(self) -> Postman:
        """Sends to LINE."""
        from connector.sync.messaging.envelopes import Postman

        return Postman(
            self.store,
            self.catalogs,
            self.line,
            self.accounts,
            links(self.settings),
            self.settings.default_locale,
            self.lease,
            self._quiet_hours,
        )

    @cached_property
    def _quiet_hours(self) -> QuietHours | None:
        from connector.sync.messaging.quiet import QuietHours

        text = self.settings.quiet_hours
        return None if text is None else QuietHours.read(text, self.settings.time_zone)

    @cached_property
    def streams(self) -> StreamReader:
        """Reads the org's changes."""
        from connector.sync.reading.streams import StreamReader

        every = timedelta(seconds=self.settings.poll_seconds)
        return StreamReader(self.store, self.catalogs, self.gateway, self.guard, every, self.lease)

    @cached_property
    def reconciliation(self) -> Reconciliation:
        """Compares the whole org with what we hold."""
        from connector.domain.lines import Lane
        from connector.sync.outgoing.governing import Governor
        from connector.sync.reading.reconciling import Reconciliation

        governor = Governor(self.gateway, self.settings.salesforce_reserve)
        return Reconciliation(
            self.store,
            self.catalogs,
            self.gateway,
            "schedule",
            allowed=lambda: governor.allows(Lane.BULK),
        )

    @cached_property
    def retention(self) -> Retention:
        """Forgets what has served its time."""
        from connector.sync.privacy.ageing import Ages
        from connector.sync.privacy.retention import Retention

        given = self.settings
        ages = Ages(
            bodies=timedelta(days=given.keep_bodies_days),
            received=timedelta(days=given.keep_received_days),
            history=timedelta(days=given.keep_history_days),
            attempts=timedelta(days=given.keep_attempts_days),
            messages=timedelta(days=given.keep_messages_days),
            closed=timedelta(days=given.keep_closed_days),
            files=timedelta(days=given.keep_files_days),
        )
        return Retention(self.store, ages)

    def erase_departed(self) -> int:
        """Erase people whose rows were deleted in Salesforce, where a mapping says so."""
        from connector.sync.privacy import departed

        return departed.erase(self.store, tombstones(self.settings), datetime.now(UTC))

    @cached_property
    def topics(self) -> TopicReader | None:
        """Follows the org's change events; None where the org is only polled."""
        endpoint, ca_file = (
            self.settings.salesforce_pubsub_endpoint,
            self.settings.salesforce_ca_file,
        )
        if not endpoint:
            return None
        from connector.salesforce.pubsub.subscription import PubSub, PubSubAccess
        from connector.sync.reading.topics import TopicReader

        access = PubSubAccess(
            endpoint, self.settings.salesforce_pubsub_tls, str(ca_file) if ca_file else None
        )
        return TopicReader(
            self.store,
            self.catalogs,
            self.gateway,
            PubSub(access, self.gateway.grant),
            self.guard,
            self.lease,
            org_access(self.settings).client_name,
        )
