"""The public holidays of a country or a part of one, to be filled into calendars."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import holidays

ENGLISH = "en_US"


class UnknownHolidays(Exception):
    """No public holidays are known for this country or subdivision."""


def public_holidays(country: str, *, subdivision: str | None, years: Sequence[int]) -> list[tuple[date, str]]:
    """Return days and names of the public holidays in some years, in order.

    Raises:
        UnknownHolidays: the country is not known, or has no such subdivision; says which it has.
    """
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        raise UnknownHolidays(f"there is no country {country}; give two letters of ISO 3166, such as GB")
    parts, about = known[country], holidays.country_holidays(country)
    if subdivision is not None and subdivision not in {
        *parts,
        *holidays.country_holidays(country).subdivisions_aliases,
    }:
        raise UnknownHolidays(f"{country} has no subdivision {subdivision}; it has {', '.join(parts) or 'none'}")
    # Without a language the names would follow the locale of the process.
    language = ENGLISH if ENGLISH in about.supported_languages else about.default_language
    return sorted(holidays.country_holidays(country, subdiv=subdivision, years=list(years), language=language).items())
