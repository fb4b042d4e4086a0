"""What was refused, beside the fields it is about."""

from __future__ import annotations

from collections.abc import Mapping

from portal_gateway.language import mark
from portal_gateway.services import Refused

AMOUNT = mark("a number above zero, as 1250.50")


def beside(refused: Refused, places: Mapping[str, str] | None = None, *, prefix: str = "") -> dict[str, str]:
    """Return what was refused by the fields of a form; under ``""`` what belongs to none of them.

    ``places``: the form's name for a name in the body, or for a problem as a whole. ``prefix`` is before the form's names.

    Raises:
        Refused: a fresh proof is asked for; the page leads there by itself when the refusal reaches it.
    """
    if refused.document.get("code") == "step-up-required":
        raise refused
    known = places or {}
    found: dict[str, str] = {}
    for one in refused.document.get("errors") or []:
        name = _place(one["pointer"].removeprefix("/body").removeprefix("/"), known)
        _add(found, prefix + name if name else "", one["detail"])
    code = str(refused.document.get("code", ""))
    if not found:
        _add(found, prefix + known[code] if code in known else "", str(refused))
    return found


def _place(path: str, known: Mapping[str, str]) -> str:
    """Return the field of the longest known beginning of a path; of an unknown one its first part."""
    parts = path.split("/")
    beginnings = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((known[one] for one in beginnings if one in known), parts[0])


def _add(found: dict[str, str], name: str, detail: str) -> None:
    text = detail.removeprefix("Value error, ")
    found[name] = f"{found[name]}; {text}" if name in found else text
