"""The ids of its API, one type for each kind of thing, and what the gateway keeps as a text with an id in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from msp_kernel.ids import is_bare
from msp_kit.ids import IdOf, IdOrName, shown

ClientId = Annotated[UUID, IdOf("client")]
EventId = Annotated[UUID, IdOf("event")]
IdentityProviderId = Annotated[UUID, IdOf("identity provider")]
KeyId = Annotated[UUID, IdOf("key")]
NotificationId = Annotated[UUID, IdOf("notification")]
PasskeyId = Annotated[UUID, IdOf("passkey")]
PersonId = Annotated[UUID, IdOf("person")]
SessionId = Annotated[UUID, IdOf("session")]
AudienceName = Annotated[str, IdOrName("client")]
ActorName = Annotated[str, IdOrName("actor")]

_AUDITED: Mapping[str, str] = {
    "api-key": "key",
    "identity-provider": "identity provider",
    "passkey": "passkey",
    "second-factor-policy": "client",
    "session-ended": "session",
    "step-up": "session",
    "view-as-client": "client",
}
"""What an entry of the audit log is about, by how its action begins; everything else is about people."""


def audited(action: str, kept: str) -> str:
    """Return what an entry of the audit log is about, an id in the form the answer has."""
    kind = next((kind for begins, kind in _AUDITED.items() if action.startswith(begins)), "person")
    return shown(kind, UUID(kept)) if is_bare(kept) else kept
