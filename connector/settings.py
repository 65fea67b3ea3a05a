"""Every setting, read once from the environment (prefix `CONNECTOR_`) or from files of secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LineAccountSettings(BaseModel):
    """One official account: its Messaging API channel, its Login channel and its LIFF app."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider_id: str
    bot_user_id: str
    basic_id: str = ""
    channel_id: str
    channel_secret: SecretStr
    previous_channel_secret: SecretStr | None = None
    login_channel_id: str
    liff_id: str


class Settings(BaseSettings):
    """The settings of one deployment: one Salesforce org, many official accounts."""

    model_config = SettingsConfigDict(
        env_prefix="CONNECTOR_", frozen=True, extra="ignore", secrets_dir=None
    )

    database_url: SecretStr = Field(description="PostgreSQL, e.g. postgresql+psycopg://…")
    redis_url: SecretStr = Field(description="Redis: carries wake-ups only")
    public_url: str = Field("http://127.0.0.1:8400", description="Where LINE users reach us")
    secret_key: SecretStr = Field(description="Keys the hashes of one-time codes and addresses")
    time_zone: str = Field("Asia/Taipei", description="For times in messages and quiet hours")
    quiet_hours: str | None = Field(
        None,
        pattern=r"^\d\d:\d\d-\d\d:\d\d$",
        description="When nothing is pushed, e.g. 22:00-08:00; answers go out at any time",
    )
    default_locale: str = Field("zh-TW", description="When a person's language is not known")

    line_accounts: tuple[LineAccountSettings, ...] = Field(
        (), description="JSON list of official accounts"
    )
    line_api_url: str = Field("https://api.line.me", description="LINE Messaging API")
    line_data_url: str = Field("https://api-data.line.me", description="LINE content API")
    liff_base: str = Field("https://liff.line.me", description="Where LIFF apps are opened")
    liff_sdk_url: str = Field(
        "https://static.line-scdn.net/liff/edge/2/sdk.js", description="The LIFF SDK"
    )
    sms_url: str | None = Field(None, description="HTTP gateway for one-time codes")
    sms_token: SecretStr | None = Field(None, description="Bearer token of that gateway")
    sms_regions: tuple[str, ...] = Field(("TW",), description="Regions that codes are sent to")

    salesforce_login_url: str = Field(
        "https://login.salesforce.com", description="My Domain address for sign-in"
    )
    salesforce_flow: Literal["jwt", "client_credentials", "refresh_token"] = Field(
        "jwt", description="Sign-in"
    )
    salesforce_client_id: str = Field("", description="Of the External Client App")
    salesforce_client_secret: SecretStr | None = None
    salesforce_username: str | None = Field(None, description="The integration user")
    salesforce_private_key: SecretStr | None = Field(None, description="PEM, for JWT bearer")
    salesforce_refresh_token: SecretStr | None = None
    salesforce_ca_file: Path | None = None
    salesforce_api_version: str = "62.0"
    salesforce_pubsub_endpoint: str = Field(
        "api.pubsub.salesforce.com:7443",
        description="host:port of the Pub/Sub API; empty: the org is only polled",
    )
    salesforce_pubsub_tls: bool = Field(
        True, description="Off only for a simulated org on this machine"
    )
    salesforce_reserve: float = Field(
        0.1, ge=0, le=0.9, description="Share of the daily API calls left to others"
    )

    publish_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Share of records, or of one field, that a plan changes without --force",
    )

    keep_bodies_days: int = Field(
        30, ge=1, description="Until what came in is masked; what waits for a person stays"
    )
    keep_received_days: int = Field(
        90, ge=7, description="Until what came in and is finished is deleted and only counted"
    )
    keep_history_days: int = Field(
        365, ge=1, description="Until values that were, and what operators did, are forgotten"
    )
    keep_attempts_days: int = Field(90, ge=1, description="Until what was tried is forgotten")
    keep_messages_days: int = Field(30, ge=1, description="Until what messages said is forgotten")
    keep_files_days: int = Field(
        7, ge=1, description="Until photos that are in Salesforce are dropped here"
    )
    keep_closed_days: int = Field(
        365, ge=1, description="Until resolved conflicts, closed alerts and finished runs go"
    )

    poll_seconds: float = Field(360, ge=0.2, description="Seconds between polls of the org")
    sweep_seconds: float = Field(2, ge=0.2, description="Seconds between sweeps of the queues")
    lease_seconds: float = Field(45, ge=5, description="How long a claim is good for")
    stack_file: Path | None = Field(None, description="Written by `connector up`")


def load_settings(**overrides: object) -> Settings:
    """The settings of this process; `CONNECTOR_SECRETS_DIR` may name a folder of secret files."""
    import os

    return Settings(_secrets_dir=os.environ.get("CONNECTOR_SECRETS_DIR"), **overrides)  # type: ignore[arg-type]
