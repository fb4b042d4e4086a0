"""Money as whole minor units and a currency; rounded once, by name, never a float.

Exponents are those of ISO 4217; amounts round half up per line, and split by largest remainder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_EXPONENTS_NOT_2 = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_EXPONENTS_2 = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC"
    " CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES"
    " KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR"
    " NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT"
    " TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG".split()
)
MINOR_MAX = 2**63 - 1
"""What a ``bigint`` column holds."""
_DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,15})(?:\.(?P<part>\d{1,3}))?", re.ASCII)


class UnknownCurrency(ValueError):
    """The currency is not one of ISO 4217."""


class CurrenciesDiffer(ValueError):
    """Amounts of two currencies cannot be added."""


class NotAnAmount(ValueError):
    """The text or number is not an amount in whole minor units of the currency, or beyond ``MINOR_MAX``."""


class BadWeights(ValueError):
    """Weights to split by are not negative, and not all zero."""


def exponent(currency: str) -> int:
    """Return the number of decimals of a currency (0, 2 or 3).

    Raises:
        UnknownCurrency: the code is not one of ISO 4217.
    """
    if currency in _EXPONENTS_2:
        return 2
    try:
        return _EXPONENTS_NOT_2[currency]
    except KeyError:
        message = f"{currency!r} is not an ISO 4217 currency"
        raise UnknownCurrency(message) from None


def half_up(numerator: int, denominator: int) -> int:
    """Return ``numerator / denominator`` rounded to whole, halves away from zero, for both signs."""
    if denominator <= 0:
        message = f"the denominator {denominator} is not positive"
        raise ValueError(message)
    quotient = (2 * abs(numerator) + denominator) // (2 * denominator)
    return quotient if numerator >= 0 else -quotient


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units.

    Raises:
        NotAnAmount: ``minor`` is not an int, or is beyond ``MINOR_MAX``.
        UnknownCurrency: the currency is not one of ISO 4217.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        # Not isinstance: True is an int to Python, but no amount.
        if type(self.minor) is not int or abs(self.minor) > MINOR_MAX:
            message = f"{self.minor!r} is not a whole number of minor units up to {MINOR_MAX}"
            raise NotAnAmount(message)
        exponent(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Return the amount a plain decimal text stands for (``68.33``).

        Raises:
            NotAnAmount: other characters, or more decimals than the currency has.
        """
        digits = exponent(currency)
        match = _DECIMAL.fullmatch(text)
        if match is None or len(match["part"] or "") > digits:
            message = f"{text!r} is not an amount with at most {digits} decimals"
            raise NotAnAmount(message)
        minor = int(match["whole"]) * 10**digits + int((match["part"] or "").ljust(digits, "0") or "0")
        return cls(-minor if match["sign"] else minor, currency)

    def __str__(self) -> str:
        """Return the plain decimal text, without grouping or symbol."""
        digits = exponent(self.currency)
        sign, minor = ("-" if self.minor < 0 else ""), abs(self.minor)
        if digits == 0:
            return f"{sign}{minor}"
        return f"{sign}{minor // 10**digits}.{minor % 10**digits:0{digits}}"

    def __add__(self, other: Money) -> Money:
        """Return the sum.

        Raises:
            CurrenciesDiffer: the currencies are not the same.
        """
        self._check(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        """Return the difference.

        Raises:
            CurrenciesDiffer: the currencies are not the same.
        """
        self._check(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        """Return the amount with the other sign."""
        return Money(-self.minor, self.currency)

    def _check(self, other: Money) -> None:
        if self.currency != other.currency:
            message = f"{self.currency} and {other.currency} cannot be added"
            raise CurrenciesDiffer(message)


def amount_text(minor: int, currency: str) -> str:
    """Return an amount as a sentence says it: ``68.33 GBP``."""
    return f"{Money(minor, currency)} {currency}"


def price_of_minutes(minutes: int, hourly_rate: Money) -> Money:
    """Return the price of ``minutes`` at a rate per hour, rounded half up once."""
    return Money(half_up(minutes * hourly_rate.minor, 60), hourly_rate.currency)


def basis_points_of(amount: Money, basis_points: int) -> Money:
    """Return a share of an amount (2000 basis points are 20 %), rounded half up once."""
    return Money(half_up(amount.minor * basis_points, 10_000), amount.currency)


def split(amount: Money, weights: Sequence[int]) -> list[Money]:
    """Split an amount in proportion to ``weights`` by largest remainder; ties go to the lower index.

    The parts add up to the amount exactly.

    Raises:
        BadWeights: a weight is negative, or all are zero.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        message = f"{list(weights)!r}: weights are not negative, and not all zero"
        raise BadWeights(message)
    sign, whole = (1 if amount.minor >= 0 else -1), abs(amount.minor)
    parts = [whole * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(whole * weights[i] % total), i))
    for index in by_remainder[: whole - sum(parts)]:
        parts[index] += 1
    return [Money(sign * part, amount.currency) for part in parts]
