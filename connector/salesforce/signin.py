"""Getting a token: JWT bearer, client credentials or refresh token, one POST each.

Every refusal is a fault with a next step for an admin; the secrets sent never appear in it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
import requests

from connector.domain.faults import Fault, FaultKind
from connector.mapping.canonical import long_id
from connector.salesforce.access import OrgAccess
from connector.salesforce.faults import CallFailed, fault_of, faults_of

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_SECONDS = 180

# (error, pattern of the description, next step): the first that fits; all of them stop the org.
_STEPS: tuple[tuple[str, str, str], ...] = (
    (
        "invalid_grant",
        r"hasn.t approved|not approved",
        "Set the app to 'Admin approved users are pre-authorized' and add its permission set.",
    ),
    ("invalid_grant", r"audience", "Set the login address to the org's own My Domain address."),
    (
        "invalid_grant",
        r"assertion|signature",
        "Upload the certificate that belongs to the private key to the app (JWT Bearer Flow).",
    ),
    (
        "invalid_grant",
        r"not supported on this domain",
        "Set the login address to the org's own My Domain address.",
    ),
    (
        "invalid_grant",
        r"client credentials user",
        "Name a run-as user in the app's Client Credentials Flow.",
    ),
    (
        "invalid_grant",
        r"IP restricted|login hours",
        "Relax IP restrictions and login hours for the integration user or the app.",
    ),
    ("invalid_grant", r"expired", "Authorize the app again and store the new refresh token."),
    ("invalid_grant", r"", "Check that the integration user is active and approved for the app."),
    ("invalid_client_id", r"", "Copy the app's consumer key into the settings again."),
    ("invalid_client", r"", "Copy the app's consumer key and secret into the settings again."),
    (
        "invalid_app_access",
        r"",
        "Approve the app for the integration user (app policies, permission set).",
    ),
    ("app_not_found", r"", "Install the External Client App in this org."),
    ("inactive_user", r"", "Activate the integration user."),
    ("inactive_org", r"", "The org is inactive: contact Salesforce."),
    (
        "unsupported_grant_type",
        r"",
        "Enable this OAuth flow in the app and in Setup > OAuth and OpenID Connect Settings.",
    ),
    ("", r"", "Check the app and the integration user in Setup; then run `connector doctor`."),
)


@dataclass(frozen=True)
class Grant:
    """A token and where it is good; the ids of the org and of our user may be empty."""

    token: str = field(repr=False)
    instance_url: str
    organization_id: str = ""
    user_id: str = ""


def sign_in(access: OrgAccess, http: requests.Session) -> Grant:
    """Ask the login host for a token."""
    try:
        answer = http.post(
            f"{access.login_url.rstrip('/')}/services/oauth2/token",
            data=_form(access),
            timeout=access.timeout,
            allow_redirects=False,
        )
    except requests.exceptions.SSLError as error:
        raise CallFailed(_unreachable(error)) from None
    except requests.exceptions.RequestException:
        raise CallFailed(
            fault_of("NOT_SENT", "The Salesforce login host cannot be reached.")
        ) from None
    if answer.status_code != 200:
        raise CallFailed(_refused(answer))
    return _grant(answer)


def _form(access: OrgAccess) -> dict[str, str]:
    if access.flow == "jwt":
        return {"grant_type": _JWT_GRANT, "assertion": _assertion(access)}
    form = {"grant_type": access.flow, "client_id": access.client_id}
    if access.client_secret:
        form["client_secret"] = access.client_secret
    if access.flow == "refresh_token":
        form["refresh_token"] = access.refresh_token or ""
    return form


def _assertion(access: OrgAccess) -> str:
    claims = {
        "iss": access.client_id,
        "sub": access.username,
        "aud": access.login_url.rstrip("/"),
        "exp": int(time.time()) + _JWT_SECONDS,
    }
    try:
        return jwt.encode(claims, access.private_key or "", algorithm="RS256")
    except (ValueError, TypeError, jwt.exceptions.PyJWTError):
        raise CallFailed(
            _config(
                "invalid_key",
                "The private key for signing in is missing or not a PEM key.",
                "Give the settings the private key that belongs to the app's certificate (PEM).",
            )
        ) from None


def _grant(answer: requests.Response) -> Grant:
    body = _json(answer)
    token, url = body.get("access_token"), body.get("instance_url")
    if not isinstance(token, str) or not isinstance(url, str):
        raise CallFailed(
            _config(
                "invalid_answer",
                "The login host's answer holds no token.",
                "Check that the login address is a Salesforce login host or My Domain.",
            )
        )
    parts = str(body.get("id") or "").rstrip("/").split("/")
    told = len(parts) > 2 and parts[-2].startswith("00D")
    organization, user = map(long_id, parts[-2:]) if told else ("", "")
    return Grant(token, url.rstrip("/"), organization, user)


def _refused(answer: requests.Response) -> Fault:
    if answer.status_code >= 500:
        return faults_of(answer.text, answer.status_code)[0]
    body = _json(answer)
    error, description = str(body.get("error") or ""), str(body.get("error_description") or "")
    if error == "rate_limit_exceeded" or answer.status_code == 429:
        return Fault(
            FaultKind.WAIT,
            "LOGIN_RATE_EXCEEDED",
            description,
            org_wide=True,
            next_step="Nothing to do: sign-in is tried again later.",
        )
    message = f"Sign-in refused: {description or error or answer.status_code}"
    return _config(error or f"http_{answer.status_code}", message, _next_step(error, description))


def _next_step(error: str, description: str) -> str:
    return next(
        step
        for code, pattern, step in _STEPS
        if code in {error, ""} and re.search(pattern, description, re.IGNORECASE)
    )


def _config(code: str, message: str, next_step: str) -> Fault:
    return Fault(FaultKind.CONFIG, code.upper(), message, org_wide=True, next_step=next_step)


def _unreachable(error: requests.exceptions.SSLError) -> Fault:
    untrusted = "CERTIFICATE_VERIFY_FAILED" in str(error)
    code = "UNTRUSTED_CERTIFICATE" if untrusted else "NOT_SENT"
    return fault_of(
        code,
        "The Salesforce login host's TLS certificate is not trusted."
        if untrusted
        else "The Salesforce login host cannot be reached.",
    )


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
