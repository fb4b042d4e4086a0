"""Fields several bodies share: bounded, and without characters no document can carry."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from billing.domain.profile import CONTROL, LANGUAGE, VAT_ID
from msp_kernel.money import exponent


def _printable(text: str) -> str:
    found = CONTROL.search(text)
    if found:
        message = f"the character U+{ord(found[0]):04X} cannot be printed or sent; write the text without it"
        raise ValueError(message)
    return text


def _currency(code: str) -> str:
    exponent(code)
    return code


Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
Text = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_printable)]
Word = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_printable)]
Currency = Annotated[str, Field(min_length=3, max_length=3), AfterValidator(_currency)]
Minor = Annotated[int, Field(ge=1, le=10**15)]
"""An amount above zero, in minor units."""
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
"""A share; 10000 are 100 %."""
VatId = Annotated[str, Field(pattern=f"^{VAT_ID.pattern}$")]
Language = Annotated[str, Field(pattern=f"^{LANGUAGE.pattern}$")]
