"""Fields that several bodies share, with their bounds."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from msp_kernel.business_time import Calendar
from msp_kernel.money import exponent

YEAR_MIN, YEAR_MAX = 2000, 2199
MINUTES_MAX = 10_000_000
MINOR_MAX = 10**12
# What no document can carry: control characters but tab and line ends, separators of lines, what is no character.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")


def _known_timezone(name: str) -> str:
    Calendar.from_json({"timezone": name, "weekly": {"mon": [["00:00", "24:00"]]}})
    return name


def _known_currency(code: str) -> str:
    exponent(code)
    return code


def sane_year(on: Any) -> Any:
    """Let days and instants of this time through, and ``None``."""
    if on is not None and not YEAR_MIN <= on.year <= YEAR_MAX:
        message = f"years run from {YEAR_MIN} to {YEAR_MAX}"
        raise ValueError(message)
    return on


def _without_control_characters(text: str) -> str:
    found = _CONTROL.search(text)
    if found:
        message = f"the character U+{ord(found[0]):04X} is not text; write it without"
        raise ValueError(message)
    return text


Plain = AfterValidator(_without_control_characters)
Name = Annotated[str, StringConstraints(min_length=1, max_length=200), Plain]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{1,39}$")]
ShortText = Annotated[str, StringConstraints(max_length=200), Plain]
Timezone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_known_timezone)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_known_currency)]
Day = Annotated[date, AfterValidator(sane_year)]
Instant = Annotated[AwareDatetime, AfterValidator(sane_year)]
Minor = Annotated[int, Field(ge=0, le=MINOR_MAX, strict=True)]
LotMinutes = Annotated[int, Field(ge=1, le=MINUTES_MAX, strict=True)]
Id = UUID
