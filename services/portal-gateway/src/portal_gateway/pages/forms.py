"""Forms that come back: what was typed is kept, and what is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal_gateway.services import Refused, ServiceAway

AWAY = 503
UNPROCESSABLE = 422


@dataclass(frozen=True)
class Form:
    """One form of a page, by its name. Of the other forms of the page nothing was typed."""

    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    status: int = 200

    @classmethod
    def refused(cls, name: str, values: Mapping[str, str], error: Refused | ServiceAway, *, said: str) -> Form:
        """Return a form a service did not take; ``said`` is what did not happen."""
        status = error.status if isinstance(error, Refused) else AWAY
        found = error.document.get("errors") or [] if isinstance(error, Refused) else []
        errors = {one["pointer"].removeprefix("/body").strip("/").split("/")[0]: one["detail"] for one in found}
        return cls(name, values, errors, f"{said} {error}", status)

    @classmethod
    def wrong(cls, name: str, values: Mapping[str, str], errors: Mapping[str, str], *, said: str) -> Form:
        """Return a form that was not even sent on."""
        return cls(name, values, errors, said, UNPROCESSABLE)

    def of(self, name: str) -> Form:
        """Return this form when it is the named one, else one nobody typed in."""
        return self if name == self.name else Form()

    def value(self, name: str, default: object = "") -> str:
        """Return what was typed, or what is there when nothing was."""
        found = self.values.get(name, default)
        return "" if found is None else str(found)

    def chosen(self, name: str, default: object = ()) -> list[str]:
        """Return what was chosen of a list that takes several."""
        if self.values:
            return [one for one in self.values.get(name, "").split(",") if one]
        return list(default) if isinstance(default, (list, tuple, set)) else []

    def is_on(self, name: str, *, default: bool = False) -> bool:
        """Return whether a box is ticked: one that was not is not sent at all."""
        return bool(self.values.get(name)) if self.values else default
