"""Fields several bodies share: bounded, and without characters no document can carry."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from billing.domain.codes import COUNTRIES, SCHEMES, is_iban
from billing.domain.profile import CONTROL, LANGUAGE, is_vat_id
from msp_kernel.money import exponent


def printable(text: str) -> str:
    """Let a text through that every document can carry."""
    found = CONTROL.search(text)
    if found:
        message = f"the character U+{ord(found[0]):04X} cannot be printed or sent; write the text without it"
        raise ValueError(message)
    return text


def _currency(code: str) -> str:
    exponent(code)
    return code


def _known(text: str, codes: frozenset[str], what: str) -> str:
    if text not in codes:
        message = f"{text!r} is no {what}"
        raise ValueError(message)
    return text


def _country(code: str) -> str:
    return _known(code, COUNTRIES, "country of ISO 3166-1; two capital letters are accepted")


def _scheme(code: str) -> str:
    return _known(code, SCHEMES, "scheme of the EAS list, as EM, 0088 or 9930")


def _iban(text: str) -> str:
    if not is_iban(text):
        message = "the check digits of the IBAN are wrong"
        raise ValueError(message)
    return text


def _vat_id(text: str) -> str:
    if not is_vat_id(text):
        message = "a VAT id begins with its country, as in GB123456789 or DE123456789"
        raise ValueError(message)
    return text


Day = Annotated[date, Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]
Text = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(printable)]
Maybe = Annotated[str, Field(max_length=500), AfterValidator(printable)]
Word = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(printable)]
Currency = Annotated[str, Field(min_length=3, max_length=3), AfterValidator(_currency)]
Minor = Annotated[int, Field(ge=1, le=10**15)]
"""An amount above zero, in minor units."""
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
"""A share; 10000 are 100 %."""
VatId = Annotated[str, Field(max_length=20), AfterValidator(_vat_id)]
Country = Annotated[str, Field(min_length=2, max_length=2), AfterValidator(_country)]
Scheme = Annotated[str, Field(max_length=4), AfterValidator(_scheme)]
Iban = Annotated[str, Field(min_length=15, max_length=34), AfterValidator(_iban)]
Language = Annotated[str, Field(pattern=f"^{LANGUAGE.pattern}$")]
