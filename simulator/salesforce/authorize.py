"""`/services/oauth2/authorize`: the page where the agent approves an app (facts section 1)."""

from html import escape
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.accounts import SignInRefused
from simulator.salesforce.oauth import form_of
from simulator.salesforce.org import SalesforceOrg

KEPT = ("client_id", "redirect_uri", "state", "code_challenge")
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Allow access?</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Allow access?</h1>
<p>The app <code>{app}</code> asks to act as <strong>{user}</strong>.</p>
<form method="post">{kept}
<button name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button>
</form></main></body></html>"""


def authorize_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The route of the page."""
    page = AuthorizePage(org)
    return [Route("/services/oauth2/authorize", page.handle, methods=["GET", "POST"])]


class AuthorizePage:
    """Asks the agent, who needs no password here, and sends the answer back to the app."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org

    async def handle(self, request: Request) -> Response:
        """Show the question, or take the answer."""
        asked = dict(request.query_params)
        if request.method == "POST":
            asked |= await form_of(request)
        place = asked.get("redirect_uri", "")
        try:
            self._org.grants.check_request(asked.get("client_id", ""), place)
        except SignInRefused as refused:
            return HTMLResponse(_refusal(refused), 400)
        if asked.get("response_type", "code") != "code":
            return _back(place, asked, error="unsupported_response_type")
        if request.method == "GET":
            return HTMLResponse(self._question(asked))
        if asked.get("answer") != "allow":
            return _back(
                place,
                asked,
                error="access_denied",
                error_description="end-user denied authorization",
            )
        challenge = asked.get("code_challenge", "")
        return _back(
            place, asked, code=self._org.grants.approve(asked["client_id"], place, challenge)
        )

    def _question(self, asked: dict[str, str]) -> str:
        kept = "".join(
            f'<input type="hidden" name="{name}" value="{escape(asked[name])}">'
            for name in KEPT
            if name in asked
        )
        user = self._org.user(self._org.credentials.agent.username)
        return PAGE.format(
            app=escape(asked["client_id"]), user=escape(str(user["Name"])), kept=kept
        )


def _back(place: str, asked: dict[str, str], **told: str) -> Response:
    if "state" in asked:
        told["state"] = asked["state"]
    joint = "&" if "?" in place else "?"
    return RedirectResponse(f"{place}{joint}{urlencode(told)}", 302)


def _refusal(refused: SignInRefused) -> str:
    query = urlencode({"error": refused.error, "error_description": refused.description})
    return f"<!doctype html><title>OAuth Error</title><p>{escape(query)}</p>"
