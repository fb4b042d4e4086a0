"""One's own notifications over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response

from msp_kit.pagination import After, Limit, Page, page_of, position
from msp_kit.problems import BadCursor
from portal_gateway import wording
from portal_gateway.actions import notices as verbs
from portal_gateway.guard import SYSTEM, DatabaseNow, SessionNow, VisitorNow, allows, door_router
from portal_gateway.language import DEFAULT, speaking
from portal_gateway.notices import KINDS, NO_CLIENT
from portal_gateway.schemas.ids import NotificationId
from portal_gateway.schemas.notices import (
    NotificationSettings,
    NotificationSettingsView,
    NotificationView,
    SetNotification,
    SettledView,
    SettleNotifications,
    UnreadView,
)
from portal_gateway.telling import checked

router = door_router(tags=["notifications"])
PEOPLE = allows(staff=(), client=())


@router.get("/notifications", openapi_extra=PEOPLE)
async def list_notifications(
    visitor: VisitorNow,
    session: SessionNow,
    database: DatabaseNow,
    state: Annotated[Literal["open", "snoozed", "done"], Query()] = "open",
    limit: Limit = 50,
    after: After = None,
) -> Page[NotificationView]:
    """Return what the person was told, newest first."""
    async with database.transaction(visitor.caller.scope) as tx:
        try:
            rows = await verbs.listed(tx, visitor.caller, state=state, after=position(after, of=2), limit=limit)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadCursor("take the cursor from `next` of the previous page") from error
    page, following = page_of(rows, limit=limit, key=lambda row: (row["at"].isoformat(), str(row["id"])))
    with speaking(session.person.language or DEFAULT):
        return Page(items=[_view(row) for row in page], next=following)


@router.get("/notifications/unread", openapi_extra=PEOPLE)
async def count_notifications(visitor: VisitorNow, _session: SessionNow, database: DatabaseNow) -> UnreadView:
    """Return how many notifications are open."""
    async with database.transaction(visitor.caller.scope) as tx:
        return UnreadView(unread=await verbs.unread(tx, visitor.caller))


@router.put("/notifications/{notification_id}/state", status_code=204, openapi_extra=PEOPLE)
async def set_notification(
    notification_id: NotificationId,
    body: SetNotification,
    visitor: VisitorNow,
    _session: SessionNow,
    database: DatabaseNow,
) -> Response:
    """Mark a notification as done, open, or put off until an instant."""
    async with database.transaction(visitor.caller.scope) as tx:
        await verbs.settle(tx, visitor.caller, [notification_id], state=body.state, until=body.until)
    return Response(status_code=204)


@router.post("/notifications/done", openapi_extra=PEOPLE)
async def settle_notifications(
    body: SettleNotifications, visitor: VisitorNow, _session: SessionNow, database: DatabaseNow
) -> SettledView:
    """Mark all that is open as done."""
    async with database.transaction(visitor.caller.scope) as tx:
        return SettledView(ids=list(await verbs.settle_all(tx, visitor.caller, before=body.before)))


@router.get("/notifications/settings", openapi_extra=PEOPLE)
async def notification_settings(
    visitor: VisitorNow, _session: SessionNow, database: DatabaseNow
) -> NotificationSettingsView:
    """Return how the person wants to be told."""
    async with database.transaction(SYSTEM) as tx:
        telling = await verbs.telling(tx, visitor.caller)
    return NotificationSettingsView.of(telling, KINDS[visitor.caller.kind])


@router.put("/notifications/settings", openapi_extra=PEOPLE)
async def set_notification_settings(
    body: NotificationSettings, visitor: VisitorNow, _session: SessionNow, database: DatabaseNow
) -> NotificationSettingsView:
    """Change how the person wants to be told, from now on."""
    wanted = checked(visitor.caller.kind, body.model_dump())
    async with database.transaction(SYSTEM) as tx:
        await verbs.set_telling(tx, visitor.caller, wanted)
    return NotificationSettingsView.of(wanted, KINDS[visitor.caller.kind])


def _view(row: dict[str, Any]) -> NotificationView:
    text = wording.sentence(row["kind"], row["words"], client=row["client_name"])
    told = {name: row[name] for name in row if name not in ("words", "client_name")}
    client_id = None if row["client_id"] == NO_CLIENT else row["client_id"]
    return NotificationView(**{**told, "client_id": client_id}, text=text)
