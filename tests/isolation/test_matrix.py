"""The wall between clients: every operation of the API, tried by everybody who must not get through."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

import httpx2 as httpx
from cast import Side, sign_in_anew
from matrix import Stage, bearer, cells, run
from tables import written

from portal_gateway import pages

CELLS_MIN = 3000


def test_every_operation_says_who_may_call_it(stage: Stage) -> None:
    silent = [
        f"{service.name}: {method} {path}"
        for service in stage.n.services.values()
        for path, operations in service.app.openapi()["paths"].items()
        for method, operation in operations.items()
        if "x-msp-access" not in operation
    ]

    assert silent == [], "openapi_extra=allows(...)"


def test_every_object_of_a_path_is_on_the_stage(stage: Stage) -> None:
    wanted = {name for one in stage.operations for name in one.parameters}

    assert wanted - stage.actors.ours.objects.keys() == set(), "give it an object in a_side() of cast.py"


def test_only_signing_in_and_the_description_are_public(stage: Stage) -> None:
    public = {one.path.removeprefix("/api/v1") for one in stage.operations if one.is_public}

    assert public == {
        "/sessions",
        "/sessions/passkey",
        "/sessions/passkey-question",
        "/password-resets",
        "/passwords",
        "/openapi.json",
    }


def test_every_operation_of_every_service_is_described_by_the_door(stage: Stage) -> None:
    described = {(one.method, one.path.removeprefix("/api/v1")) for one in stage.operations}
    own = {
        (method.upper(), path)
        for service in stage.n.services.values()
        if service.name != "portal-gateway"
        for path, operations in service.app.openapi()["paths"].items()
        for method in operations
    }

    assert own - described == set(), "list its first segment in SERVICE_OF of the gateway"


async def test_the_attack_matrix(stage: Stage) -> None:
    await sign_in_anew(stage.n, stage.actors)
    before = await written(stage)

    report = await run(stage.n, cells(stage.n, stage.actors, stage.operations))
    stage.report.add(report)
    assert report.failures == []
    assert report.cells >= CELLS_MIN
    after = await written(stage)
    assert [name for name in before if before[name] != after[name]] == [], "something that was refused was written"


async def test_the_own_objects_are_there(stage: Stage) -> None:
    """A wall that lets nobody through would pass every other test."""
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for side in (stage.actors.ours, stage.actors.theirs):
            cookies = {"cookie": f"sid={side.tokens['all']}"}
            for kind, ref in side.refs.items():
                page = await client.get(f"/portal/{kind}/{ref}", headers=cookies)
                assert page.status_code == 200, kind
                if kind != "invoices":
                    assert side.canary in page.text, kind
            file = await client.get(f"/api/v1/attachments/{side.objects['attachment_id']}", headers=cookies)
            assert file.text == f"{side.canary} content"


async def test_a_key_of_another_client_gives_nothing_back(stage: Stage) -> None:
    sent: dict[str, Any] = {"description": "", "job_type": "network", "priority": "low", "level": "L1"}
    made = {}
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for name in ("ours", "theirs", "ours again", "ours otherwise"):
            side: Side = getattr(stage.actors, name.partition(" ")[0])
            headers = dict(bearer(side.tokens["all"], **{"idempotency-key": "the-very-same-key"}))
            body = {**sent, "title": f"{side.canary} {'changed' if name.endswith('otherwise') else 'title'}"}
            made[name] = await client.post("/api/v1/tickets", headers=headers, json=body)

    assert [one.status_code for one in made.values()] == [201, 201, 201, 422]
    assert made["ours"].json() == made["ours again"].json()
    assert made["ours"].json()["id"] != made["theirs"].json()["id"]
    assert stage.actors.ours.canary not in made["theirs"].text


async def test_pages_are_for_whom_they_were_made(stage: Stage) -> None:
    modules = [
        importlib.import_module(f"portal_gateway.pages.{one.name}") for one in pkgutil.iter_modules(pages.__path__)
    ]
    routes = [route for module in modules for route in getattr(getattr(module, "router", None), "routes", ())]
    paths = sorted({route.path for route in routes if "GET" in (route.methods or ())})
    wrong: dict[str, Any] = {}
    refs = stage.actors.ours.refs
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for path in paths:
            ours = re.sub(r"(\w+)/\{(ref|number)\}", lambda found: f"{found[1]}/{refs.get(found[1], 'x')}", path)
            url = re.sub(r"\{(\w+)\}", lambda found: stage.actors.ours.objects.get(found[1], "x"), ours)
            anonymous = await client.get(url)
            if path.startswith(("/desk", "/portal", "/settings")):
                if anonymous.status_code != 303 or not anonymous.headers["location"].startswith("/login"):
                    wrong[path] = ("anonymous", anonymous.status_code)
                insider, outsider = (
                    (stage.actors.staff["admin"], stage.actors.theirs.tokens["all"])
                    if path.startswith("/desk")
                    else (stage.actors.theirs.tokens["all"], stage.actors.staff["admin"])
                )
                if not path.startswith("/settings"):
                    refused = await client.get(url, headers={"cookie": f"sid={outsider}"})
                    if refused.status_code != 403:
                        wrong[path] = ("the other kind", refused.status_code)
                shown = await client.get(url, headers={"cookie": f"sid={insider}"})
                if shown.status_code >= 500:
                    wrong[path] = ("its own kind", shown.status_code)
                if path.startswith(("/portal", "/settings")) and (
                    stage.actors.ours.canary in shown.text or "CANARY-INSIDE" in shown.text
                ):
                    wrong[path] = ("tells of another client", shown.status_code)
                if path.startswith("/portal") and ours != path and shown.status_code != 404:
                    wrong[path] = ("is there for another client", shown.status_code)
    assert len(paths) > 20
    assert wrong == {}
