"""Forms that come back: what was typed is kept, and what is wrong stands beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.amounts import as_typed
from portal_gateway.prose import refusal
from portal_gateway.services import Refused, ServiceAway

AWAY = 503
UNPROCESSABLE = 422
AMOUNT = mark("a number above zero, as 1250.50")
NO_NUMBER = "Input should be a valid integer"
PROVE = "step-up-required"
LOOK = mark("Look at the marked fields.")


@dataclass(frozen=True)
class Form:
    """One form of a page, by its name. Of the other forms of the page nothing was typed."""

    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    status: int = 200

    @classmethod
    def refused(
        cls,
        name: str,
        values: Mapping[str, str],
        error: Refused | ServiceAway,
        *,
        said: str,
        places: Mapping[str, str] | None = None,
    ) -> Form:
        """Return a form a service did not take; ``said`` is what did not happen, ``places`` as ``beside`` takes them.

        Raises:
            Refused: a fresh proof is asked for.
        """
        if isinstance(error, ServiceAway):
            return cls(name, values, {}, f"{said} {error}", AWAY)
        return cls(name, values, beside(error, places), f"{said} {shown.said(error)}", error.status)

    @classmethod
    def wrong(cls, name: str, values: Mapping[str, str], errors: Mapping[str, str], *, said: str) -> Form:
        """Return a form that was not even sent on."""
        return cls(name, values, errors, f"{said} {errors.get('', gettext(LOOK))}", UNPROCESSABLE)

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


def beside(refused: Refused, places: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what was refused by the fields of a form; under ``""`` what belongs to none of them.

    ``places``: the form's name for a name in the body, or for a problem as a whole.

    Raises:
        Refused: a fresh proof is asked for; the page leads there by itself when the refusal reaches it.
    """
    if refused.document.get("code") == PROVE:
        raise refused
    known = places or {}
    found: dict[str, str] = {}
    for one in refused.document.get("errors") or []:
        # What was typed as a number and is none was sent on as it is: people are told how it is typed, not what JSON is.
        detail = as_typed() if one["detail"].startswith(NO_NUMBER) else refusal(one["detail"])
        _add(found, _place(one["pointer"].removeprefix("/body").removeprefix("/"), known), detail)
    code = str(refused.document.get("code", ""))
    if not found:
        _add(found, known.get(code, ""), str(refused))
    return found


def _place(path: str, known: Mapping[str, str]) -> str:
    """Return the field of the longest known beginning of a path; of an unknown one its first part."""
    parts = path.split("/")
    beginnings = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((known[one] for one in beginnings if one in known), parts[0])


def _add(found: dict[str, str], name: str, detail: str) -> None:
    text = detail.removeprefix("Value error, ")
    found[name] = f"{found[name]}; {text}" if name in found else text
