"""Bank statements as banks send them: CAMT.053 (ISO 20022) and CSV. A file is refused whole, with the line that is wrong."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from billing.domain.payments import BankLine, NotABankStatement
from billing.domain.profile import cleaned
from msp_kernel.money import Money

COLUMNS = ("booked_on", "amount", "currency", "counterparty", "reference")
LINES_MAX = 20_000


def read(body: str) -> list[tuple[BankLine, str]]:
    """Return the booked lines of a statement, each with a fingerprint that is the same whenever it is imported.

    Raises:
        NotABankStatement: with what is wrong and where.
    """
    text = body.lstrip("\N{ZERO WIDTH NO-BREAK SPACE} \r\n\t")
    try:
        lines = list(_camt(text)) if text.startswith("<") else list(_csv(text))
    except (ParseError, DefusedXmlException) as error:
        raise NotABankStatement(f"the XML cannot be read: {error}") from error
    if not lines or len(lines) > LINES_MAX:
        raise NotABankStatement(f"the statement has {len(lines)} lines; 1 to {LINES_MAX} are accepted")
    return _with_fingerprints(lines)


def _with_fingerprints(lines: list[BankLine]) -> list[tuple[BankLine, str]]:
    seen: Counter[str] = Counter()
    found = []
    for line in lines:
        said = "\x1f".join(
            (
                line.booked_on.isoformat(),
                str(line.amount_minor),
                line.currency,
                line.bank_reference or f"{line.counterparty}\x1f{line.reference}",
            )
        )
        # Two equal payments on one day are two: the second one of a file is told from the first by its place.
        seen[said] += 1
        found.append((line, hashlib.sha256(f"{said}\x1f{seen[said]}".encode()).hexdigest()))
    return found


def _csv(text: str) -> Iterator[BankLine]:
    head = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise NotABankStatement(f"the columns {', '.join(COLUMNS)} are accepted; {', '.join(lacking)} is missing")
    number = 1
    while True:
        number += 1
        try:
            row = next(reader, None)
            if row is None:
                return
            yield BankLine(
                booked_on=date.fromisoformat(row["booked_on"]),
                amount_minor=Money.parse(row["amount"], row["currency"]).minor,
                currency=row["currency"],
                counterparty=cleaned(row["counterparty"] or "")[:200],
                reference=cleaned(row["reference"] or "")[:500],
                bank_reference=(row.get("bank_reference") or "")[:100],
            )
        except (ValueError, TypeError, csv.Error) as error:
            raise NotABankStatement(f"line {number}: {error}") from error


def _camt(text: str) -> Iterator[BankLine]:
    root = fromstring(text, forbid_dtd=True)
    if "camt.053" not in root.tag:
        raise NotABankStatement("the XML is not a statement of the kind camt.053")
    namespace = root.tag.partition("}")[0] + "}"
    for number, entry in enumerate(root.iter(f"{namespace}Ntry"), start=1):
        try:
            if _status(entry, namespace) in ("", "BOOK"):
                yield from _entry(entry, namespace)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise NotABankStatement(f"entry {number}: {error}") from error


def _status(entry: Element, namespace: str) -> str:
    """Return the booking status, which newer versions of the format wrap in a code."""
    found = entry.find(f"{namespace}Sts")
    if found is None:
        return ""
    return (found.findtext(f"{namespace}Cd") or found.text or "").strip()


def _entry(entry: Element, namespace: str) -> Iterator[BankLine]:
    def text(node: Any, path: str) -> str:
        parts = [found.text or "" for found in node.iterfind("/".join(f"{namespace}{one}" for one in path.split("/")))]
        return " ".join(part.strip() for part in parts if part.strip())

    booked_on = date.fromisoformat((text(entry, "BookgDt/Dt") or text(entry, "BookgDt/DtTm"))[:10])
    sign = -1 if (text(entry, "CdtDbtInd") == "DBIT") != (text(entry, "RvslInd") == "true") else 1
    details = entry.findall(f"{namespace}NtryDtls/{namespace}TxDtls")
    amounts = [found.find(f"{namespace}Amt") for found in details]
    # A batch is one entry with many payments; each has an amount of its own.
    is_batch = len(details) > 1 and all(amount is not None for amount in amounts)
    whole = entry.find(f"{namespace}Amt")
    for place, node in enumerate(details if is_batch else [details[0] if details else entry], start=1):
        amount = amounts[place - 1] if is_batch else whole
        if amount is None:
            raise ValueError("it has no amount (Amt)")
        party = "Cdtr" if sign < 0 else "Dbtr"
        bank = text(entry, "AcctSvcrRef") or text(node, "Refs/AcctSvcrRef")
        currency = amount.attrib["Ccy"]
        yield BankLine(
            booked_on=booked_on,
            amount_minor=sign * Money.parse((amount.text or "").strip(), currency).minor,
            currency=currency,
            counterparty=(text(node, f"RltdPties/{party}/Nm") or text(node, f"RltdPties/{party}/Pty/Nm"))[:200],
            reference=" ".join(
                part
                for part in (
                    text(node, "RmtInf/Ustrd"),
                    text(node, "RmtInf/Strd/CdtrRefInf/Ref"),
                    text(node, "RmtInf/Strd/RfrdDocInf/Nb"),
                    text(node, "Refs/EndToEndId").replace("NOTPROVIDED", ""),
                )
                if part
            )[:500],
            bank_reference=f"{bank}/{place}" if bank else "",
        )
