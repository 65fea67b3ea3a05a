"""A gateway whose answers are written down in the test."""

import responses

from connector.salesforce.access import OrgAccess
from connector.salesforce.gateway import Gateway

LOGIN = "https://acme.my.salesforce.com"
DATA = f"{LOGIN}/services/data/v62.0"
INGEST = f"{DATA}/jobs/ingest"
QUERY = f"{DATA}/jobs/query"
JOB = "7505e000002AbCdAAK"


def gateway() -> Gateway:
    access = OrgAccess(LOGIN, "client_credentials", "the-app", client_secret="hush-hush")
    return Gateway(access)


def grant(net: responses.RequestsMock) -> None:
    told = {"access_token": "t1", "instance_url": LOGIN, "id": f"{LOGIN}/id/00D7e00001W4GYR/005"}
    net.post(f"{LOGIN}/services/oauth2/token", json=told)


def state(name: str, **more: object) -> dict[str, object]:
    return {"id": JOB, "state": name, **more}


def table(*rows: str) -> bytes:
    """CSV, one text per line."""
    return ("\n".join(rows) + "\n").encode()


def refusal(code: str, message: str) -> list[dict[str, str]]:
    return [{"errorCode": code, "message": message}]
