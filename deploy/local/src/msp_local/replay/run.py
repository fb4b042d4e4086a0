"""``make replay``: clients with contracts, tickets, clocks, hours, invoices from a log; then the proof that it adds up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from msp_kernel.periods import day_of, month_of
from msp_local.api import Api, ApiProblem
from msp_local.replay import log as incident_log
from msp_local.replay.log import Incident, Log, batches, client_code, job_type
from msp_local.replay.outcome import Outcome, progress, say
from msp_local.replay.report import report, totals, write_refusals
from msp_local.stack import ADMIN_EMAIL

SOURCE = "incident-log"
SETTLED = ("drafted", "issued", "blocked", "nothing")
BATCH = 40
PARALLEL = 4
BUCKET_MINUTES = 3000
_NAMESPACE = uuid.UUID("5a2d7a52-0c7b-5d0c-9a3c-6f1d1f0e8a11")
_BUDGETS = {"critical": (30, 240), "high": (60, 480), "medium": (240, 1440), "low": (480, 2880)}
_WEEK = {day: [["08:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def replay(file: str, *, url: str) -> int:
    """Import a file and print what came of it; return the exit code (0 when everything adds up)."""
    try:
        found = incident_log.read(Path(file))
    except incident_log.NotALog as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return asyncio.run(_replay(found, url=url))


async def _replay(found: Log, *, url: str) -> int:
    email, password = credentials()
    say(f"{found.row_count} rows, {len(found.incidents)} incidents, {len(found.refusals)} rows refused by the reader")
    async with Api(url, email=email, password=password) as api:
        outcome = await bring_in(api, found)
        await _approve(api, outcome)
        runs = await _bill(api, found, outcome)
        is_proved = await report(api, found, outcome, runs)
    write_refusals(found, outcome)
    return 0 if is_proved else 1


async def bring_in(api: Api, found: Log) -> Outcome:
    """Import a log, and return when the ledger has every minute; what is there already changes nothing."""
    started = time.monotonic()
    outcome = Outcome()
    await _prepare(api, found, outcome)
    await _import(api, found, outcome)
    await _caught_up(api, outcome)
    outcome.seconds = time.monotonic() - started
    return outcome


def credentials() -> tuple[str, str]:
    """Return who imports: ``MSP_EMAIL`` and ``MSP_PASSWORD``, else the administrator of ``make run``."""
    if "MSP_EMAIL" in os.environ:
        return os.environ["MSP_EMAIL"], os.environ.get("MSP_PASSWORD", "")
    state = Path.cwd() / ".state" / "secrets.json"
    return ADMIN_EMAIL, json.loads(state.read_text())["admin_password"]


# ---- clients and contracts ----------------------------------------------------------------------------------------


async def _prepare(api: Api, found: Log, outcome: Outcome) -> None:
    known_types = {item["code"] async for item in api.pages("/job-types")}
    wanted_types = sorted({job_type(one.category) for one in found.incidents})
    for code in wanted_types:
        if code not in known_types:
            name = code.replace("-", " ").capitalize()
            await api.post("/job-types", {"code": code, "name": name, "is_billable": True})
    known_queues = {item["name"] for item in (await api.get("/queues"))["items"]}
    for name in sorted({update.queue for one in found.incidents for update in one.updates} - known_queues):
        await api.post("/queues", {"key": _slug(name), "name": name})
    known_clients = {item["code"]: item["id"] async for item in api.pages("/clients")}
    known_contracts = {item["client_id"]: item async for item in api.pages("/contracts")}
    calendar = card = ""
    locations = sorted({one.location for one in found.incidents})
    first_on = min(day_of(one.opened_at, incident_log.TIMEZONE) for one in found.incidents).replace(day=1)
    started = time.monotonic()
    for count, location in enumerate(locations, start=1):
        code = client_code(location)
        client_id = known_clients.get(code)
        if client_id is None:
            made = await api.post("/clients", _client(code, location))
            client_id = made["id"]
        outcome.clients[location] = client_id
        contract = known_contracts.get(client_id)
        if contract is None:
            calendar = calendar or await _calendar(api)
            card = card or await _rate_card(api)
            terms = _contract(client_id, calendar=calendar, card=card, types=wanted_types, starts_on=first_on)
            contract = await api.post("/contracts", terms)
        if contract["status"] == "draft":
            contract = await api.post(f"/contracts/{contract['id']}/activate")
        outcome.contracts[client_id] = contract["id"]
        progress(count, len(locations), "clients with contracts", started)
    await _terms_known(api, outcome)


def _client(code: str, location: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(_NAMESPACE, code)),
        "code": code,
        "name": location if location != incident_log.UNKNOWN else "Unknown location",
        "timezone": incident_log.TIMEZONE,
        "currency": "GBP",
        "billing_address": {"lines": [location], "city": "Bristol", "postcode": "BS1 1SA", "country": "GB"},
    }


def _contract(client_id: str, *, calendar: str, card: str, types: list[str], starts_on: date) -> dict[str, Any]:
    targets = [
        {"metric": metric, "priority": priority, "budget_minutes": minutes}
        for priority, budgets in _BUDGETS.items()
        for metric, minutes in zip(("first_response", "resolution"), budgets, strict=True)
    ]
    return {
        "client_id": client_id,
        "name": f"Bucket {BUCKET_MINUTES // 60} h",
        "kind": "bucket",
        "starts_on": starts_on.isoformat(),
        "currency": "GBP",
        "job_types": types,
        "levels": ["L1", "L2", "L3"],
        "calendar_id": calendar,
        "targets": targets,
        "pausing_statuses": ["waiting_on_client", "waiting_on_vendor", "scheduled"],
        "rate_card_id": card,
        "bucket": {"minutes": BUCKET_MINUTES, "price_minor": 350_000, "valid_from": starts_on.isoformat()},
    }


async def _calendar(api: Api) -> str:
    body = {"name": "Imported, Mon-Fri 08-18", "timezone": incident_log.TIMEZONE, "weekly": _WEEK}
    made = await api.post("/calendars", {**body, "holidays": [], "overrides": {}})
    return str(made["id"])


async def _rate_card(api: Api) -> str:
    rates = [{"level": level, "rate_minor": rate} for level, rate in (("L1", 7500), ("L2", 9200), ("L3", 11_500))]
    made = await api.post("/rate-cards", {"name": "Imported", "currency": "GBP", "rates": rates, "overage_rates": []})
    return str(made["id"])


def _slug(name: str) -> str:
    return "-".join(name.lower().split())


async def _terms_known(api: Api, outcome: Outcome) -> None:
    """Wait until the tickets service offers every contract."""
    for client_id in outcome.clients.values():
        while not (await api.get("/tickets/offer", client_id=client_id))["contracts"]:
            await asyncio.sleep(0.2)


# ---- tickets ------------------------------------------------------------------------------------------------------


async def _import(api: Api, found: Log, outcome: Outcome) -> None:
    work = list(batches(found.incidents, BATCH))
    total = sum(len(one.updates) for one in found.incidents)
    started = time.monotonic()
    done = 0
    queue = asyncio.Queue[list[Incident]]()
    for batch in work:
        queue.put_nowait(batch)

    async def send() -> None:
        nonlocal done
        while not queue.empty():
            batch = queue.get_nowait()
            body = {"source": SOURCE, "tickets": [_ticket(one, outcome) for one in batch]}
            answer = await _persistent(api, "/imports", body)
            outcome.tickets_created += answer["tickets_created"]
            outcome.updates_accepted += answer["updates_accepted"]
            outcome.already_known += answer["already_known"]
            for refusal in answer["refused"]:
                outcome.refused.append((refusal["external_ref"], str(refusal.get("seq") or ""), refusal["reason"]))
            step = sum(len(one.updates) for one in batch)
            done += step
            progress(done, total, "updates", started, step=step)

    await asyncio.gather(*(send() for _ in range(PARALLEL)))


async def _persistent(api: Api, path: str, body: Any) -> Any:
    """Send a request that may be repeated until the platform can take it: a restart in between does no harm."""
    for attempt in range(30):
        try:
            return await api.post(path, body)
        except (OSError, ApiProblem) as error:
            is_passing = not isinstance(error, ApiProblem) or error.status in (429, 502, 503, 504)
            if not is_passing or attempt == 29:
                raise
            await asyncio.sleep(min(0.5 * 2**attempt, 5))
    raise AssertionError


def _ticket(one: Incident, outcome: Outcome) -> dict[str, Any]:
    return {
        "external_ref": one.number,
        "client_id": outcome.clients[one.location],
        "contact_name": one.caller if one.caller != incident_log.UNKNOWN else "Unknown caller",
        "title": f"{one.number}: {one.subcategory if one.subcategory != incident_log.UNKNOWN else one.category}",
        "job_type": job_type(one.category),
        "priority": one.priority,
        "level": one.level,
        "queue": _slug(one.updates[0].queue),
        "assignee": one.updates[0].assignee,
        "raised_at": one.opened_at.isoformat(),
        "updates": [
            {
                "seq": update.seq,
                "at": update.at.isoformat(),
                "status": update.status,
                "priority": update.priority,
                "queue": _slug(update.queue),
                "assignee": update.assignee,
                "agent": update.agent,
                "worked_minutes": update.worked_minutes,
                "is_agent_reply": update.worked_minutes > 0,
            }
            for update in one.updates
        ],
    }


async def _caught_up(api: Api, outcome: Outcome) -> None:
    """Wait until every logged minute has been answered by the contracts service."""
    say("waiting until every minute has reached the ledger")
    started = time.monotonic()
    for count, client_id in enumerate(outcome.clients.values(), start=1):
        while True:
            logged = await totals(api, "time-entries", client_id)
            ledger = await totals(api, "hours", client_id)
            if logged["entry_count"] == ledger["entry_count"]:
                break
            await asyncio.sleep(0.5)
        progress(count, len(outcome.clients), "clients", started)


async def _approve(api: Api, outcome: Outcome) -> None:
    started = time.monotonic()
    for count, client_id in enumerate(outcome.clients.values(), start=1):
        body = {"client_id": client_id, "before": "2100-01-01T00:00:00Z"}
        while (await api.post("/time-entries/approve", body))["approved"]:
            pass
        progress(count, len(outcome.clients), "clients approved", started)


async def _bill(api: Api, found: Log, outcome: Outcome) -> list[str]:
    """Bill every month with work, oldest first; return the runs."""
    zone = incident_log.TIMEZONE
    months: dict[date, set[str]] = defaultdict(set)
    for one in found.incidents:
        for update in one.updates:
            if update.worked_minutes:
                at = max(update.at, one.opened_at)
                months[month_of(day_of(at, zone)).starts_on].add(outcome.clients[one.location])
    runs: list[str] = []
    started = time.monotonic()
    first, last = min(months), max(months)
    # Every month up to the last one with work: a fixed item may be due in a month without any.
    starts_on, total = first, 0
    while starts_on <= last:
        ends_on = (starts_on + timedelta(days=32)).replace(day=1)
        total += 1
        body = {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()}
        run = await api.post("/billing-runs", {**body, "client_ids": sorted(outcome.clients.values())})
        settled = await _settled(api, run["id"])
        if any(item["status"] == "drafted" for item in settled["items"]):
            await api.post(f"/billing-runs/{run['id']}/issue", {})
            await _settled(api, run["id"])
        runs.append(run["id"])
        progress(total, max(total, len(months)), f"months billed ({starts_on:%b %Y})", started)
        starts_on = ends_on
    return runs


async def _settled(api: Api, run_id: str) -> dict[str, Any]:
    while True:
        run: dict[str, Any] = await api.get(f"/billing-runs/{run_id}")
        if all(item["status"] in SETTLED for item in run["items"]):
            return run
        await asyncio.sleep(0.5)
