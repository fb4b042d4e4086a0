"""Documents a finance department accepts: PDF with the e-invoice inside (Factur-X), UBL, CSV; and bank statements read."""

from __future__ import annotations

from typing import Any

from billing.documents import cii, pdf, ubl
from billing.documents.check import differences
from billing.documents.logo import Logo
from billing.documents.xml import is_electronic


def made_for(content: dict[str, Any], logo: Logo | None = None) -> dict[str, bytes]:
    """Return the documents of an issued invoice or credit note by kind, checked to the cent."""
    if not is_electronic(content):
        return {"pdf": pdf.render(content, logo=logo)}
    made = {"cii": cii.render(content), "ubl": ubl.render(content)}
    for kind, body in made.items():
        broken = differences(content, body)
        assert not broken, f"{kind} of {content['number']}: {broken}"
    return {**made, "pdf": pdf.render(content, made["cii"], logo=logo)}
