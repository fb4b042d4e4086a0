"""Identifiers: UUIDv7, ordered by the time they were made, and how programs outside see them.

Inside, in databases and in events, an id is a UUID. At ``/api/v1`` it says what it is the id of: a prefix and the 32 digits
of the UUID, as in ``tkt_0190a6c87d1e7d0fa2f1d8c0b7a1e4f3``.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final

from uuid_utils import compat

PREFIXES: Final[Mapping[str, str]] = {
    "absence": "abs",
    "actor": "act",
    "adjustment": "adj",
    "alert": "alr",
    "agent": "agt",
    "attachment": "att",
    "bank line": "bnk",
    "billing run": "run",
    "bus event": "bus",
    "calendar": "cal",
    "canned reply": "rpl",
    "charge": "chg",
    "client": "cli",
    "clock": "clk",
    "contact": "con",
    "contract": "ctr",
    "contract test": "tst",
    "coverage decision": "cov",
    "credit": "crd",
    "event": "evt",
    "identity provider": "idp",
    "invoice": "inv",
    "invoice link": "lnk",
    "job type": "jbt",
    "key": "key",
    "lot": "lot",
    "message": "msg",
    "milestone": "mil",
    "notification": "ntf",
    "passkey": "psk",
    "payment": "pay",
    "period close": "pcl",
    "person": "per",
    "project": "prj",
    "project template": "ptp",
    "rate card": "rtc",
    "refund": "rfd",
    "routing rule": "rul",
    "session": "ses",
    "task": "tsk",
    "ticket": "tkt",
    "ticket template": "tpl",
    "ticket view": "viw",
    "time entry": "ent",
    "write-off": "wof",
}
"""What the id of each kind of thing begins with. A prefix is never used for another kind."""
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}
_PREFIXED = re.compile(r"([a-z]{3})_([0-9a-f]{32})")
_WITHIN = re.compile(rf"(?<![0-9A-Za-z_-]){_PREFIXED.pattern}(?![0-9A-Za-z_-])")
_BARE = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class WrongKindOfId(ValueError):
    """The id of one kind of thing was given where another kind's is due."""


class NotAnId(ValueError):
    """The text is no id."""


def new_id() -> uuid.UUID:
    """Return a new UUIDv7."""
    return compat.uuid7()


def prefixed(kind: str, bare: uuid.UUID) -> str:
    """Return an id as programs outside see it."""
    return f"{PREFIXES[kind]}_{bare.hex}"


def is_prefixed(text: str) -> bool:
    """Return whether a text has the form of an id with a prefix, of whatever kind."""
    return _PREFIXED.fullmatch(text) is not None


def is_bare(text: str) -> bool:
    """Return whether a text has the form of a UUID."""
    return _BARE.fullmatch(text) is not None


def parsed(kind: str, text: str) -> uuid.UUID:
    """Return the id of a ``kind`` that a text is, with its prefix or as a bare UUID.

    Raises:
        WrongKindOfId: the text is the id of another kind.
        NotAnId: the text is neither.
    """
    found = _PREFIXED.fullmatch(text)
    if found is None:
        if _BARE.fullmatch(text) is None:
            raise NotAnId(f"the id of {_a(kind)} is {PREFIXES[kind]}_ and 32 hexadecimal digits, or a UUID")
        return uuid.UUID(text)
    if found[1] != PREFIXES[kind]:
        other = _KINDS.get(found[1])
        given = f"{found[1]}_… is the id of {_a(other)}" if other else f"no id begins with {found[1]}_"
        raise WrongKindOfId(f"{given}; the id of {_a(kind)} begins with {PREFIXES[kind]}_")
    return uuid.UUID(found[2])


def bare_within(address: str) -> str:
    """Return an address with each id in it bare."""
    return _WITHIN.sub(lambda found: str(uuid.UUID(found[2])) if found[1] in _KINDS else found[0], address)


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
