"""The secrets of the org: made once, kept in the data folder, readable by the owner alone."""

import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.salesforce.ids import mint

FILE = "credentials.json"
CA_FILE, CERTIFICATE_FILE, KEY_FILE = "ca.pem", "server.pem", "server-key.pem"
KEY_BITS = 2048
ORG_SERIALS = 62**6


@dataclass(frozen=True, slots=True)
class App:
    """A connected app and the user it runs as; `private_key` signs its JWT assertions."""

    username: str
    client_id: str
    client_secret: str
    private_key: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything secret about the org."""

    organization_id: str
    password: str
    security_token: str
    session_key: str
    agent: App
    integration: App


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the certificate files of the TLS port lie."""

    ca: Path
    certificate: Path
    key: Path


def load_credentials(folder: Path) -> Credentials:
    """The credentials of a data folder, made when there are none."""
    path = folder / FILE
    if path.exists():
        known = orjson.loads(path.read_bytes())
        agent, integration = App(**known.pop("agent")), App(**known.pop("integration"))
        return Credentials(agent=agent, integration=integration, **known)
    fresh = _make_credentials()
    _write_private(path, orjson.dumps(asdict(fresh), option=orjson.OPT_INDENT_2))
    return fresh


def load_tls_files(folder: Path, host: str) -> TlsFiles:
    """The certificate files of a data folder, made when there are none."""
    files = TlsFiles(folder / CA_FILE, folder / CERTIFICATE_FILE, folder / KEY_FILE)
    if not (files.ca.exists() and files.certificate.exists() and files.key.exists()):
        authority = trustme.CA(organization_name="Salesforce simulator")
        server = authority.issue_cert("127.0.0.1", "localhost", *_extra_names(host))
        chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
        _write_private(files.key, server.private_key_pem.bytes())
        _write_private(files.certificate, chain)
        _write_private(files.ca, authority.cert_pem.bytes())
    return files


def _make_credentials() -> Credentials:
    return Credentials(
        organization_id=mint("00D", secrets.randbelow(ORG_SERIALS)),
        password=secrets.token_urlsafe(12),
        security_token=secrets.token_hex(12),
        session_key=secrets.token_hex(32),
        agent=_make_app("agent@line-service.example.com"),
        integration=_make_app("integration@line-service.example.com", private_key=_make_key()),
    )


def _make_app(username: str, private_key: str | None = None) -> App:
    # Consumer keys of real apps begin so and are 85 characters long.
    client_id = "3MVG9" + secrets.token_urlsafe(60)[:80]
    return App(username, client_id, secrets.token_hex(32).upper(), private_key)


def _make_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _extra_names(host: str) -> list[str]:
    return [] if host in {"127.0.0.1", "localhost", "0.0.0.0", "::"} else [host]


def _write_private(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(content)
