"""The web process of the alternative: `python -m tests.bench.alternative.app --port … --threads …`."""

from __future__ import annotations

import argparse
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Annotated, Any, Literal

import requests
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import ApiClient, Configuration, MessagingApi
from linebot.v3.webhook import WebhookParser
from linebot.v3.webhooks import PostbackEvent
from pydantic import BaseModel
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from urllib3.util.retry import Retry

from tests.bench.alternative import CLIENT

TIMES = (5.0, 30.0)
CONSENT = "consent:service"
PRIORITIES = {"low": "Low", "normal": "Medium", "high": "High"}
log = logging.getLogger(__name__)


class Door(HTTPAdapter):
    """Never waits for ever; and reaches the simulator as the connector does, without TLS."""

    def __init__(self, tls_url: str, plain_url: str, **more: Any) -> None:
        self._addresses = (tls_url, plain_url)
        super().__init__(**more)

    def send(self, request: Any, *rest: Any, **more: Any) -> requests.Response:
        """Send with the times that nobody else sets."""
        request.url = request.url.replace(*self._addresses)
        return super().send(request, *rest, **{**more, "timeout": more.get("timeout") or TIMES})


def salesforce(org_url: str, threads: int) -> Salesforce:
    """A client for so many threads."""
    told = requests.get(f"{org_url}/_simulator/credentials", timeout=10).json()
    session = requests.Session()
    session.trust_env = False
    session.headers["Sforce-Call-Options"] = f"client={CLIENT}"
    again = Retry(total=3, connect=3, read=0, status=0, backoff_factor=0.5)
    tls_url = told["tls_url"].rstrip("/")  # simple-salesforce knows no other
    session.mount("https://", Door(tls_url, org_url, pool_maxsize=threads, max_retries=again))
    return Salesforce(
        instance_url=tls_url,
        session_id=told["access_token"],
        session=session,
        version="62.0",
    )


class Line:
    """LINE, as its SDK speaks to it."""

    def __init__(self, line_url: str, threads: int) -> None:
        told = requests.get(f"{line_url}/_simulator/credentials", timeout=10).json()
        account = told["official_accounts"][0]
        form = {
            "grant_type": "client_credentials",
            "client_id": account["channel_id"],
            "client_secret": account["channel_secret"],
        }
        answer = requests.post(f"{line_url}/v2/oauth/accessToken", data=form, timeout=10)
        answer.raise_for_status()
        self.parser = WebhookParser(account["channel_secret"])
        configuration = Configuration(host=line_url, access_token=answer.json()["access_token"])
        configuration.connection_pool_maxsize = threads
        self._api = MessagingApi(ApiClient(configuration))

    def name_of(self, user_id: str) -> str:
        """A person's name on LINE."""
        return str(self._api.get_profile(user_id, _request_timeout=TIMES).display_name)


class RepairRequest(BaseModel):
    """The form."""

    contact_id: str
    account_id: str
    product: str
    symptom: str
    description: str
    urgency: Literal["low", "normal", "high"]
    address: str
    slots: list[str]
    contact_phone: str


class Service:
    """The jobs, and the threads that they wait for."""

    def __init__(self, org: Any, line: Line, threads: int) -> None:
        # objects of the org are its attributes, made as asked for
        self._org, self._line = org, line
        self._pool = ThreadPoolExecutor(threads)

    def follow_up(self, body: str, signature: str) -> None:
        """Make a Lead of whoever agrees; ``InvalidSignatureError`` where LINE did not sign."""
        events: Any = self._line.parser.parse(body, signature)
        for event in events:
            if isinstance(event, PostbackEvent) and event.postback.data == CONSENT:
                self._soon(self._make_lead, event.source.user_id)

    def open_soon(self, form: RepairRequest) -> None:
        """Make a Case and a Work Order of a form."""
        self._soon(self._open_case, form)

    def _soon(self, job: Any, *about: Any) -> None:
        self._pool.submit(job, *about).add_done_callback(_tell)

    def _make_lead(self, user_id: str) -> None:
        name = self._line.name_of(user_id)
        facts = {"LINE_User_Id__c": user_id, "LINE_Display_Name__c": name, "LeadSource": "LINE"}
        self._org.Lead.create({"LastName": name, "Company": name, **facts})

    def _open_case(self, form: RepairRequest) -> None:
        whose = {"ContactId": form.contact_id, "AccountId": form.account_id}
        text = "\n".join([form.product, form.description, *form.slots])
        case = {
            **whose,
            "Subject": form.symptom[:255],
            "Priority": PRIORITIES[form.urgency],
            "Origin": "LINE",
            "SuppliedPhone": form.contact_phone,
            "Description": text,
        }
        case_id = self._org.Case.create(case)["id"]
        order = {**whose, "CaseId": case_id, "Subject": case["Subject"], "Description": text}
        self._org.WorkOrder.create({**order, "Street": form.address})


def _tell(job: Future[None]) -> None:
    if trouble := job.exception():
        log.error("a job failed: %r", trouble)


def application(service: Service) -> FastAPI:
    """What it answers to."""
    app = FastAPI(openapi_url=None)

    @app.get("/livez")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/callback")
    async def callback(request: Request, x_line_signature: Annotated[str, Header()]) -> str:
        try:
            service.follow_up((await request.body()).decode(), x_line_signature)
        except InvalidSignatureError as error:
            raise HTTPException(400, "not signed by LINE") from error
        return "OK"

    @app.post("/repair-requests", status_code=201)
    async def repair_request(form: RepairRequest) -> dict[str, str]:
        service.open_soon(form)
        return {"status": "received"}

    return app


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--org", required=True)
    parser.add_argument("--line", required=True)
    asked = parser.parse_args()
    service = Service(
        salesforce(asked.org, asked.threads), Line(asked.line, asked.threads), asked.threads
    )
    uvicorn.run(application(service), port=asked.port, access_log=False, log_level="error")


if __name__ == "__main__":
    main()
