"""The HTTP process: pages, the gateway's own API, forwarding, live updates, static files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import cast
from uuid import UUID

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from msp_kit.api import Lifespan, create_api
from msp_kit.database import SYSTEM, Database
from msp_kit.identity import Signer
from msp_kit.problems import Problem
from msp_kit.settings import ServiceSettings
from portal_gateway import endpoints, live
from portal_gateway.actions import notes
from portal_gateway.answering import Answering
from portal_gateway.armour import Armour
from portal_gateway.descriptions import Descriptions
from portal_gateway.forward import REFUSALS, Forward, nothing
from portal_gateway.limits import Limits
from portal_gateway.outgoing import Outgoing
from portal_gateway.pages import (
    agents,
    amendments,
    approvals,
    bank,
    billing,
    billing_admin,
    branding,
    buckets,
    calendars,
    catalogue,
    charges,
    clients,
    clocks,
    contracts,
    credit_notes,
    desk,
    drafts,
    files,
    hosted,
    hours,
    imports,
    inbox,
    invoices,
    my_day,
    new_payment,
    operations,
    payments,
    period_locks,
    portal,
    priorities,
    project_changes,
    projects,
    providers,
    queues,
    reports,
    routing,
    search,
    settings as settings_pages,
    sign_in,
    sla,
    texts,
    ticket_changes,
    time_approvals,
    time_entries,
    time_week,
    what_if,
    workload,
)
from portal_gateway.pages.site import HERE, FormTooLarge, FormUnreadable, Site, failure
from portal_gateway.pages.surroundings import Brands, Surroundings
from portal_gateway.scope import Visitors
from portal_gateway.services import Services
from portal_gateway.settings import Settings
from portal_gateway.version import PREFIX

PROBLEMS: dict[type[Exception], Problem] = {**endpoints.PROBLEMS, **REFUSALS}
PAGES = (
    sign_in.router,
    providers.router,
    settings_pages.router,
    inbox.router,
    portal.router,
    hours.router,
    approvals.router,
    reports.router,
    desk.router,
    queues.router,
    search.router,
    my_day.router,
    time_week.router,
    period_locks.router,
    projects.router,
    project_changes.router,
    workload.router,
    agents.router,
    routing.router,
    texts.router,
    priorities.router,
    imports.router,
    ticket_changes.router,
    time_entries.router,
    files.router,
    clocks.router,
    operations.router,
    time_approvals.router,
    billing.router,
    billing_admin.router,
    new_payment.router,
    payments.router,
    bank.router,
    charges.router,
    invoices.router,
    credit_notes.router,
    hosted.router,
    buckets.router,
    sla.router,
    what_if.router,
    drafts.router,
    amendments.router,
    calendars.router,
    catalogue.router,
    clients.router,
    contracts.router,
    branding.router,
    live.router,
)
"""The families of pages; where two paths fit, the first one answers."""


class Static(StaticFiles):
    """Static files; their addresses carry a hash of the content, so they never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file that may be kept for ever."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        response.headers["x-content-type-options"] = "nosniff"
        return response


def create(settings: ServiceSettings, database: Database, lifespan: Lifespan | None = None) -> FastAPI:
    """Build the HTTP application."""
    settings = cast("Settings", settings)
    signer = Signer(json.loads(settings.identity_private_key.get_secret_value()))
    services = Services(settings.service_urls(), signer)
    visitors, limits = Visitors(database), Limits(factor=settings.rate_limit_factor)
    brands = Brands(database, name=settings.brand_name)
    site = Site(services=services, visitors=visitors, brands=brands)
    hub = live.Hub(settings.amqp_url.get_secret_value())

    async def client_name(client_id: UUID) -> str | None:
        async with database.transaction(SYSTEM) as tx:
            return await notes.client_name(tx, client_id)

    site.client_names = client_name

    @contextlib.asynccontextmanager
    async def all_of_it(app: FastAPI) -> AsyncIterator[None]:
        await services.start()
        await hub.start()
        async with lifespan(app) if lifespan else contextlib.nullcontext():
            yield
        await hub.stop()
        await services.stop()

    app = create_api(
        service="portal-gateway",
        database=database,
        settings=settings,
        routers=[*endpoints.ROUTERS, *PAGES],
        problem_table=PROBLEMS,
        lifespan=all_of_it,
    )
    app.state.site = site
    app.state.hub = hub
    app.state.endings = (hub.leave,)
    app.state.visitors = visitors
    app.state.limits = limits
    app.state.outgoing = Outgoing(settings.outgoing_private_hosts)
    app.state.house = settings.house()
    app.state.descriptions = Descriptions(services, title=settings.brand_name)
    app.router.routes.append(Mount("/static", Static(directory=HERE / "static")))
    app.add_middleware(Armour, is_encrypted=settings.public_url.startswith("https://"))
    # Appended: innermost of the middlewares, so inside the edge, and before any route is looked for.
    app.user_middleware.append(Middleware(Answering))
    app.user_middleware.append(Middleware(Forward, visitors=visitors, services=services, limits=limits))
    # And one further in: what is forwarded has no look and no language.
    app.user_middleware.append(Middleware(Surroundings, brands=brands))

    _answer_what_is_not_there(app, site)
    return app


def _answer_what_is_not_there(app: FastAPI, site: Site) -> None:
    # Pages for whoever has signed in answer these themselves; the others are here.
    @app.exception_handler(FormUnreadable)
    async def no_form(_request: Request, _error: Exception) -> Response:
        return failure(site, None, status=400)

    @app.exception_handler(FormTooLarge)
    async def much_too_large(_request: Request, _error: Exception) -> Response:
        return failure(site, None, status=413)

    @app.exception_handler(404)
    async def nothing_here(request: Request, _error: Exception) -> Response:
        is_for_programs = request.scope["path"].startswith(f"{PREFIX}/")
        return nothing(request) if is_for_programs else failure(site, None, status=404)
