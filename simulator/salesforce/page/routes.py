"""The routes of the page: `/`, its assets, and a wait for changes."""

import asyncio
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from simulator.salesforce.ids import is_id, long_form
from simulator.salesforce.merging import MERGEABLE
from simulator.salesforce.org import SalesforceOrg
from simulator.salesforce.page.layouts import FIRST_TAB, LAYOUTS
from simulator.salesforce.page.texts import LANGUAGES, Texts, texts
from simulator.salesforce.page.view import MOST_ROWS, View
from simulator.salesforce.rules import CONVERTED_STATUSES
from simulator.salesforce.schema import ObjectType
from simulator.salesforce.store import Row

FOLDER = Path(__file__).parent
SCRIPT = "text/javascript"
ASSETS = {"page.css": "text/css", "page.js": SCRIPT, "operations.js": SCRIPT}
CONVERTED = min(CONVERTED_STATUSES)
COOKIE = "sim_lang"
COOKIE_SECONDS = 365 * 24 * 3600
WAIT_SECONDS, LOOK_SECONDS = 20.0, 0.25


def page_routes(org: SalesforceOrg) -> list[BaseRoute]:
    """The routes of the page."""
    page = Page(org)
    return [
        Route("/", page.show, methods=["GET"]),
        Route("/_page/changes", page.changes, methods=["GET"]),
        Route("/_page/{name}", page.asset, methods=["GET"]),
    ]


class Page:
    """The org browser."""

    def __init__(self, org: SalesforceOrg) -> None:
        self._org = org
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=select_autoescape(),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def show(self, request: Request) -> Response:
        """A list of rows, a row, or an empty form for a new one."""
        asked = request.query_params
        language = texts(asked.get("lang") or request.cookies.get(COOKIE, ""))
        tab = asked.get("tab", FIRST_TAB)
        if tab not in LAYOUTS:
            return RedirectResponse("/")
        view = self._view(language)
        kind = view.kind(tab)
        with self._org.store.lock:
            if "new" in asked:
                response = self._form(request, language, view, kind, None)
            elif "bin" in asked:
                response = self._render(
                    request, language, "bin.html", kind=kind, binned=view.binned(kind)
                )
            elif "id" in asked:
                response = self._row(request, language, view, kind)
            else:
                response = self._list(request, language, view, kind)
        if "lang" in asked:
            response.set_cookie(COOKIE, language.language, COOKIE_SECONDS, samesite="lax")
        return response

    async def changes(self, request: Request) -> Response:
        """Wait until rows changed after `since`, or for a while."""
        since = request.query_params.get("since", "")
        for _ in range(int(WAIT_SECONDS / LOOK_SECONDS)):
            if str(self._org.store.changes) != since or await request.is_disconnected():
                break
            await asyncio.sleep(LOOK_SECONDS)
        return JSONResponse({"changes": self._org.store.changes})

    async def asset(self, request: Request) -> Response:
        """A file that the page loads."""
        name = request.path_params["name"]
        if name not in ASSETS:
            return Response(status_code=404)
        content = (FOLDER / "assets" / name).read_bytes()
        return Response(content, media_type=ASSETS[name], headers={"Cache-Control": "no-cache"})

    def _row(self, request: Request, language: Texts, view: View, kind: ObjectType) -> Response:
        wanted = request.query_params["id"]
        rows = self._org.store.tables[kind.name].rows
        row = rows.get(long_form(wanted)) if is_id(wanted) else None
        if row is None or "IsDeleted" in row:
            binned = None if row is None else view.in_bin(row)
            return self._render(request, language, "gone.html", 404, kind=kind, binned=binned)
        return self._form(request, language, view, kind, row)

    def _list(self, request: Request, language: Texts, view: View, kind: ObjectType) -> Response:
        search = request.query_params.get("q", "")
        rows = view.found(kind, search)
        layout = LAYOUTS[kind.name]
        return self._render(
            request,
            language,
            "list.html",
            kind=kind,
            search=search,
            total=len(rows),
            columns=[view.label(kind, kind.fields[name]) for name in layout.columns],
            rows=[(row["Id"], view.cells(kind, row, layout)) for row in rows[:MOST_ROWS]],
        )

    def _form(
        self, request: Request, language: Texts, view: View, kind: ObjectType, row: Row | None
    ) -> Response:
        layout = LAYOUTS[kind.name]
        given = {name: request.query_params.get(name) for name in kind.fields}
        given = {name: value for name, value in given.items() if value}
        sections = []
        for title, names in {**layout.sections, "more": view.other_fields(kind, layout)}.items():
            controls = view.controls(kind, list(names), row, given)
            if row is None:
                controls = [each for each in controls if each.editable]
            if controls:
                sections.append((title, controls))
        return self._render(
            request,
            language,
            "record.html",
            kind=kind,
            row=row,
            title="" if row is None else view.name(row),
            sections=sections,
            chips=self._chips(language, kind, row),
            related=[] if row is None else self._related(view, kind, row),
            **self._operations(view, kind, row),
        )

    def _operations(self, view: View, kind: ObjectType, row: Row | None) -> dict[str, Any]:
        """What can be done with a row beside editing it."""
        if row is None or kind.name not in MERGEABLE or row.get("IsConverted"):
            return {}
        offered: dict[str, Any] = {"others": view.others(kind, row)}
        if kind.name == "Lead":
            offered |= {"converts_to": CONVERTED, "contacts": view.contacts()}
        return offered

    def _view(self, language: Texts) -> View:
        agent = self._org.user(self._org.credentials.agent.username)
        return View(self._org.store, language, self._org.visibility.schema_for(agent["Id"]))

    def _chips(
        self, language: Texts, kind: ObjectType, row: Row | None
    ) -> list[tuple[str, str, bool]]:
        name = LAYOUTS[kind.name].chips
        if name is None or row is None:
            return []
        values = kind.fields[name].values
        return [(each, language.value_label(each), row.get(name) == each) for each in values]

    def _related(self, view: View, kind: ObjectType, row: Row) -> list[dict[str, object]]:
        lists = []
        for each in LAYOUTS[kind.name].related:
            other, layout = view.kind(each.kind), LAYOUTS[each.kind]
            rows = view.related(each.kind, each.by, row["Id"])
            lists.append(
                {
                    "kind": other,
                    "layout": layout,
                    "new": f"/?tab={each.kind}&new=1&{each.by}={row['Id']}",
                    "rows": [(found["Id"], view.cells(other, found, layout)) for found in rows],
                    "columns": [view.label(other, other.fields[n]) for n in layout.columns],
                }
            )
        return lists

    def _render(
        self, request: Request, language: Texts, template: str, status: int = 200, **known: object
    ) -> Response:
        content = self._templates.get_template(template).render(
            t=language,
            layouts=LAYOUTS,
            changes=self._org.store.changes,
            user_name=self._view(language).name(
                self._org.user(self._org.credentials.agent.username)
            ),
            language_links=[
                (each, texts(each).own_name, _with_language(request, each)) for each in LANGUAGES
            ],
            **known,
        )
        return HTMLResponse(content, status)


def _with_language(request: Request, language: str) -> str:
    return f"/?{request.url.include_query_params(lang=language).query}"
