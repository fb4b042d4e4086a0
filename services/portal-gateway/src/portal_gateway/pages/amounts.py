"""Numbers as people type them, exactly or not at all: amounts of money, shares in per cent, prices in contracts.

A comma or a point before one or two last digits is what stands before a fraction, in every language; ``1.250,50`` and
``1,250.50`` say the same. Before three digits it is the language that decides: ``1.250`` is a thousand and more in German,
and in English no amount of pence at all.
"""

from __future__ import annotations

import re

from msp_kernel.money import UnknownCurrency, exponent
from portal_gateway.language import decimal, gettext, symbols

DIGITS_MAX = 12
_SPACES = str.maketrans("", "", " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}'")
_FRACTION = re.compile(
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+(?=\.)|[0-9]{1,3}(?:\.[0-9]{3})+(?=,))[.,](?P<part>[0-9]{1,2})"
)
_WHOLE_PERCENT = 10_000


def digits_of(currency: str) -> int:
    """Return how many decimals a currency has; two of one we do not know: the service says what is wrong with it."""
    try:
        return exponent(currency)
    except UnknownCurrency:
        return 2


def amount(text: str, currency: str) -> int | None:
    """Return what was typed in minor units, ``None`` when it is no amount of this currency, or could be two."""
    return _read(text, digits_of(currency))


def price(text: str, currency: str) -> int | str:
    """Return what was typed in minor units; what is no amount as it is: the service refuses it, with its place."""
    found = amount(text, currency)
    return text if found is None else found


def basis_points(text: str) -> int | None:
    """Return a share typed in per cent as basis points (``12.5`` is 1250), ``None`` beyond 0 to 100 or two decimals."""
    found = _read(text.strip().removesuffix("%"), 2)
    return found if found is not None and found <= _WHOLE_PERCENT else None


def percent_text(points: int) -> str:
    """Return basis points as a form takes them: ``20``, ``12.5``, in German ``12,5``."""
    whole, part = divmod(points, 100)
    return decimal(f"{whole}.{part:02}".rstrip("0").rstrip("."))


def as_typed() -> str:
    """Return what a number looks like in the language spoken now, for those who typed something else."""
    return gettext("a number: amounts and hours as %(number)s, counts whole") % {"number": decimal("12.50")}


def _read(text: str, digits: int) -> int | None:
    given = text.strip().translate(_SPACES)
    if not given.isascii():
        return None
    found = _FRACTION.fullmatch(given)
    if found is not None:
        whole, part = found["whole"].replace(",", "").replace(".", ""), found["part"]
    else:
        point, group = symbols()
        before, _, part = given.partition(point)
        first, *thousands = before.split(group)
        if thousands and (not 1 <= len(first) <= 3 or any(len(one) != 3 for one in thousands)):
            return None
        whole = first + "".join(thousands)
    if not whole.isdigit() or (part and not part.isdigit()) or len(whole) > DIGITS_MAX or len(part) > digits:
        return None
    return int(f"{whole}{part.ljust(digits, '0')}")
