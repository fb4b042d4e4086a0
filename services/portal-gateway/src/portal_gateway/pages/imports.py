"""Tables in: tickets, agents and projects from a CSV file, tried first, with every row that was not taken named."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark
from portal_gateway.pages.desk import DISPATCH, nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Site, form_and_file, form_of, page_route
from portal_gateway.prose import refusal
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway

router = APIRouter(prefix="/desk/admin/imports")
KINDS = {
    "tickets": (
        mark("Tickets"),
        "client_code, title, job_type, level",
        "description, priority, impact, urgency, contact_name, tags",
    ),
    "agents": (mark("Agents"), "name, levels", "skills, queues, weekly_minutes"),
    "projects": (
        mark("Projects"),
        "client_code, contract_ref, name",
        "description, status, is_client_visible, budget_minutes, starts_on, due_on",
    ),
}
"""What can be imported: its name, the columns it needs, and those it may have."""
SHOWN_MAX = 100
FAILURES_BYTES_MAX = 30_000
"""What a page carries of the rows that were not taken; as a form three times as much."""


@page_route(router, "")
async def imports(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form."""
    return await _page(site, visitor)


@page_route(router, "", "POST")
async def take(request: Request, site: Site, visitor: Visitor) -> Response:
    """Take the rows of a file, or only try them."""
    caller = need_staff(visitor, *DISPATCH)
    typed, file = await form_and_file(request, visitor)
    content = file[1] if file else b""
    kind = typed.get("kind", "")
    if kind not in KINDS or not content:
        wrong = (
            {"file": gettext("Choose a CSV file.")} if kind in KINDS else {"kind": gettext("Choose what the rows are.")}
        )
        return await _page(
            site, visitor, form=Form.wrong("import", typed, wrong, said=gettext("Nothing was imported."))
        )
    is_trial = typed.get("intent") == "try"
    path = f"/tables/{kind}{'?trial=true' if is_trial else ''}"
    headers = {"content-type": "text/csv"} | (
        {} if is_trial else {"idempotency-key": typed.get("key") or str(new_id())}
    )
    try:
        answer = await site.services.send(caller, "POST", path, body=content, headers=headers)
        done = answer.json()
    except (Refused, ServiceAway) as error:
        return await _page(
            site, visitor, form=Form.refused("import", typed, error, said=gettext("Nothing was imported."))
        )
    failures = failures_of(content, done["refused"])
    return await _page(site, visitor, form=Form("import", typed), done=done, failures=failures)


@page_route(router, "/failures", "POST")
async def failures(request: Request, _site: Site, visitor: Visitor) -> Response:
    """Give the rows that were not taken as a file, to be mended and sent again."""
    need_staff(visitor, *DISPATCH)
    typed = await form_of(request, visitor)
    headers = {
        "content-disposition": 'attachment; filename="not-imported.csv"',
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Response(typed.get("rows", ""), media_type="text/csv", headers=headers)


def failures_of(content: bytes, refused: Sequence[Mapping[str, Any]]) -> tuple[str, int]:
    """Return the rows that were not taken as CSV, each with what is wrong with it; and how many of them there was room for."""
    text = content.decode("utf-8-sig", errors="replace")
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    why: dict[int, list[str]] = {}
    for one in refused:
        why.setdefault(one["line"], []).append(": ".join(filter(None, (one["column"], refusal(one["detail"])))))
    out = io.StringIO()
    writer = csv.writer(out)
    kept = size = 0
    for number, row in enumerate(reader):
        problem = "problem" if not number else "; ".join(why.get(reader.line_num, ()))
        if not problem:
            continue
        size += sum(len(cell.encode()) + 3 for cell in (*row, problem))
        if size > FAILURES_BYTES_MAX:
            break
        writer.writerow([*row, problem])
        kept += bool(number)
    return out.getvalue(), kept


async def _page(
    site: Site,
    visitor: Visitor,
    *,
    form: Form | None = None,
    done: Mapping[str, Any] | None = None,
    failures: tuple[str, int] = ("", 0),
) -> Response:
    need_staff(visitor, *DISPATCH)
    form = form or Form()
    return site.page(
        "desk/imports.html",
        visitor=visitor,
        title=gettext("Import"),
        status=form.status,
        f=form,
        kinds={code: (gettext(name), needed, more) for code, (name, needed, more) in KINDS.items()},
        done=done,
        refused=list(done["refused"])[:SHOWN_MAX] if done else [],
        bad_rows=len({one["line"] for one in done["refused"]}) if done else 0,
        failures=failures,
        key=str(new_id()),
        **await nav(site, visitor),
    )
