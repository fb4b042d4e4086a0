"""Bodies and views of people, their sessions, second factors and keys, and of what happened."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from msp_kit.api import Body, View
from msp_kit.ids import Subject
from portal_gateway.person import Person
from portal_gateway.schemas.ids import (
    ActorName,
    AudienceName,
    ClientId,
    EventId,
    IdentityProviderId,
    KeyId,
    PasskeyId,
    PersonId,
    SessionId,
)

Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=False)]
Code = Annotated[str, Field(min_length=6, max_length=40)]
Roles = Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=10)]


class SignIn(Body):
    """Who signs in; ``code`` when there is a second factor."""

    email: Email
    password: Secret
    code: Code | None = None


class SessionView(View):
    """A new session; the token goes into ``Authorization: Bearer``."""

    token: str
    kind: str
    name: str


class OwnSessionView(View):
    """A place where the person is signed in."""

    id: SessionId
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    user_agent: str
    address: str
    proofs: list[str]
    is_current: bool


class Proof(Body):
    """What proves once more who somebody is: the password, or a code where there is a second factor."""

    password: Secret | None = None
    code: Code | None = None


class ViewAs(Body):
    """The client whose pages are looked at."""

    client_id: ClientId


class NewPerson(Body):
    """A person; without a password they get an invitation. A client's administrator makes people of the own client only."""

    kind: Literal["staff", "client"]
    client_id: ClientId | None = None
    email: Email
    display_name: Name
    roles: Roles
    password: Secret | None = None


class ChangePerson(Body):
    """What changes of a person."""

    display_name: Name | None = None
    roles: Roles | None = None
    is_active: bool | None = None


class _PersonView(View):
    id: PersonId
    kind: str
    client_id: ClientId | None
    email: str
    display_name: str
    roles: list[str]
    is_active: bool


class PersonView(_PersonView):
    """A person."""

    revision: int

    @classmethod
    def of(cls, person: Person) -> PersonView:
        """Return the view of a person."""
        return cls(
            id=person.id,
            kind=person.kind,
            client_id=person.of_client_id,
            email=person.email,
            display_name=person.display_name,
            roles=list(person.roles),
            is_active=person.is_active,
            revision=person.revision,
        )


class NewPersonView(PersonView):
    """A person who was invited; ``link`` is there when no mail leaves the house: hand it over yourself."""

    link: str | None = None


class MeView(_PersonView):
    """Who asks, and how they signed in."""

    is_fresh: bool
    """Proved lately who they are: what moves money or rights asks for it."""
    must_add_second_factor: bool
    views_client_id: ClientId | None = None


class AskForReset(Body):
    """Whose password is to be chosen anew."""

    email: Email


class ChoosePassword(Body):
    """The token of the link in an invitation or a reset, and the password."""

    token: Annotated[str, Field(min_length=20, max_length=100)]
    password: Secret


class ChangePassword(Body):
    """The password now, and the next one."""

    current: Secret
    password: Secret


class AppView(View):
    """What an authenticator app needs, as text and as an address; it counts once its first code was sent."""

    secret: str
    address: str


class AppCode(Body):
    """What the authenticator app shows."""

    code: Code


class CodesView(View):
    """Recovery codes, shown this once."""

    recovery_codes: list[str]


class PasskeyView(View):
    """A passkey."""

    id: PasskeyId
    name: str
    created_at: datetime
    used_at: datetime | None


class FactorsView(View):
    """What a person has beside a password."""

    has_app: bool
    passkeys: list[PasskeyView]
    recovery_codes_left: int
    is_required: bool


class NewPasskey(Body):
    """What the browser's ``navigator.credentials.create`` returned, as JSON."""

    credential: dict[str, Any]
    name: Name = "Passkey"


class UsePasskey(Body):
    """What the browser's ``navigator.credentials.get`` returned, as JSON."""

    credential: dict[str, Any]


class PolicyView(View):
    """Whether an audience must have a second factor."""

    audience: AudienceName
    is_required: bool


class SetPolicy(Body):
    """Whether an audience must have a second factor."""

    is_required: bool


class NewKey(Body):
    """An API key; for a client when ``client_id`` is given or a client's administrator asks."""

    name: Name
    client_id: ClientId | None = None
    roles: Roles
    scopes: Annotated[list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=20)]
    life_days: Annotated[int, Field(ge=1, le=365)] = 90


class NewKeyView(View):
    """A new key; ``key`` is shown this once and goes into ``Authorization: Bearer``."""

    id: KeyId
    key: str


class KeyView(View):
    """An API key, without its secret."""

    id: KeyId
    name: str
    kind: str
    of_client_id: ClientId | None
    roles: list[str]
    scopes: list[str]
    made_by: PersonId
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None


class EventView(View):
    """Something happened; ask the thing's own address for how it stands now."""

    id: EventId
    type: str
    subject: Subject
    client_id: ClientId
    at: datetime


class AuditView(View):
    """Who did what."""

    id: int
    at: datetime
    actor: ActorName
    actor_name: str | None
    action: str
    object: str
    outcome: str
    request_id: str
    client_id: ClientId | None
    detail: dict[str, Any]
    address: str


class NewProvider(Body):
    """An OpenID Connect provider whose people sign in: of a client, or of the staff without ``client_id``."""

    client_id: ClientId | None = None
    slug: Annotated[str, Field(pattern=r"^[a-z0-9-]{2,40}$")]
    name: Name
    issuer: Annotated[str, Field(min_length=8, max_length=300, pattern=r"^https?://")]
    oauth_client_id: Annotated[str, Field(min_length=1, max_length=200)]
    oauth_client_secret: Secret
    role_claim: Annotated[str, Field(min_length=1, max_length=60)] = "roles"
    role_map: Annotated[dict[str, str], Field(min_length=1, max_length=50)]
    """From a value of the claim to a role here; ``*`` is for everybody."""


class ProviderView(View):
    """An OpenID Connect provider, without its secret."""

    id: IdentityProviderId
    slug: str
    name: str
    issuer: str
    oauth_client_id: str
    role_claim: str
    role_map: dict[str, str]
    is_active: bool


class NewProviderView(View):
    """A provider that was added."""

    id: IdentityProviderId


class NewPasskeyView(View):
    """A passkey that was added."""

    id: PasskeyId
