"""What a client's invoices of a period say: made for a draft, made anew, or only to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from billing.domain.invoice import TotalsDiffer, filled, frame_of
from billing.domain.items import Charge, Credit, price_fixed_items, with_charges, with_credits
from billing.domain.pricing import PricedLine, Terms, price_sums
from billing.domain.profile import Finding, client_of, incomplete
from billing.domain.work import Summed
from billing.store import intake, invoices, profiles
from billing.store.canonical import canonical
from billing.store.invoices import Draft
from msp_events.billing import InvoiceDrafted
from msp_kernel.money import amount_text
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound

UNUSUAL_PERCENT = 50
"""How far a total may be from the usual one before somebody should look at it."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything an invoice of a client is made from, besides its work."""

    client: Mapping[str, Any]
    profile: Mapping[str, Any]
    terms: Mapping[tuple[UUID, int], Terms]
    charges: Sequence[Charge]
    credits_: Sequence[Credit]
    starts_on: date
    ends_on: date

    @property
    def in_force(self) -> dict[UUID, Terms]:
        """Return the version of every contract in force at the end of the period."""
        found: dict[UUID, Terms] = {}
        for (contract_id, _), of in sorted(self.terms.items(), key=lambda one: one[0][1]):
            if contract_id not in found or of.effective_from is None or of.effective_from < self.ends_on:
                found[contract_id] = of
        return found


@dataclass(frozen=True, slots=True)
class Made:
    """An invoice in one currency, as it would be: its frame, and the contracts whose entries are listed in it."""

    currency: str
    frame: dict[str, Any]
    lines: Sequence[PricedLine]
    contract_ids: frozenset[UUID]
    credit_ids: tuple[UUID, ...]


async def basis_of(
    tx: Transaction, *, client_id: UUID, starts_on: date, ends_on: date, invoice_id: UUID | None = None
) -> Basis:
    """Load what a client's invoices are made from; ``invoice_id`` is a draft that is made anew.

    Raises:
        NotFound: the client is unknown.
    """
    client = await intake.client(tx, client_id=client_id)
    if client is None:
        raise NotFound
    profile = await profiles.profile(tx, client_id=client_id)
    terms = await intake.terms_of_client(tx, client_id=client_id)
    return Basis(
        client=client,
        profile=profile,
        terms={key: _with_profile(of, profile) for key, of in terms.items()},
        charges=await profiles.charges(tx, client_id=client_id),
        credits_=await profiles.credits_for(tx, client_id=client_id, before=ends_on, invoice_id=invoice_id),
        starts_on=starts_on,
        ends_on=ends_on,
    )


def _with_profile(of: Terms, profile: Mapping[str, Any]) -> Terms:
    """Return the terms as the client's billing profile has them: its tax case and payment terms count before the contract's."""
    case, days = profile.get("tax_case"), profile.get("payment_days")
    return replace(
        of,
        tax_category=case or of.tax_category,
        tax_rate_basis_points=of.tax_rate_basis_points if case is None else profile.get("tax_rate_basis_points") or 0,
        payment_days=of.payment_days if days is None else days,
        purchase_order=profile.get("purchase_order") or of.purchase_order,
    )


def made_of(basis: Basis, work: Summed, *, statement: Sequence[Mapping[str, Any]]) -> list[Made]:
    """Return the invoices of a client's period, one for each currency; none when there is nothing to say.

    Raises:
        PricesMissing, SameSpecificity, RateNotPossible, MixedCurrencies, TotalsDiffer: what keeps the work from being priced.
    """
    unknown = work.worked.keys() - basis.terms.keys()
    if unknown:
        raise TotalsDiffer(f"billing does not know version {min(unknown, key=str)[1]} of a contract yet")
    in_force = basis.in_force
    refs = {str(contract_id): of.ref for contract_id, of in in_force.items()}
    made: list[Made] = []
    for currency in sorted({of.currency for of in basis.terms.values()}):
        own = {contract_id: of for contract_id, of in in_force.items() if of.currency == currency}
        worked = [minutes for (contract_id, _), minutes in work.worked.items() if contract_id in own]
        asked = {ask: minutes for ask, minutes in work.asked.items() if ask.contract_id in own}
        language = basis.profile.get("language") or "en"
        lines = [
            *price_fixed_items(own.values(), starts_on=basis.starts_on, ends_on=basis.ends_on),
            *price_sums(asked, basis.terms, language=language),
        ]
        lines = with_charges(
            lines, basis.charges, own, starts_on=basis.starts_on, ends_on=basis.ends_on, language=language
        )
        lines, used = with_credits(lines, basis.credits_, own, language=language)
        if not lines and not worked:
            continue
        frame = frame_of(
            lines=lines,
            worked_minutes=sum(worked),
            currency=currency,
            header=_header(basis, next(iter(own.values())), language),
            statement=[
                {**one, "ref": refs[one["contract_id"]]} for one in statement if UUID(one["contract_id"]) in own
            ],
            exemption_reason=basis.profile.get("exemption_reason"),
        )
        made.append(Made(currency, frame, lines, frozenset(own), tuple(used)))
    return made


def _header(basis: Basis, main: Terms, language: str) -> dict[str, Any]:
    return {
        "client": client_of(basis.client, basis.profile),
        "starts_on": basis.starts_on.isoformat(),
        "ends_on": basis.ends_on.isoformat(),
        "timezone": basis.client["timezone"],
        "language": language,
        "payment_days": main.payment_days,
        "purchase_order": main.purchase_order or basis.client["purchase_order"],
    }


async def findings_of(
    tx: Transaction, *, client_id: UUID, content: Mapping[str, Any], seller: Mapping[str, Any]
) -> list[Finding]:
    """Return what to look at before a draft is issued: what blocks it, and what is unusual."""
    found, currency = incomplete(content, seller), content["currency"]
    usual = await invoices.usual_gross(
        tx, client_id=client_id, currency=currency, before=date.fromisoformat(content["starts_on"])
    )
    if usual:
        average = sum(usual) // len(usual)
        if abs(content["gross_minor"] - average) * 100 > UNUSUAL_PERCENT * abs(average):
            found.append(
                Finding(
                    "total-unusual",
                    False,
                    "total",
                    f"{amount_text(content['gross_minor'], currency)} is more than {UNUSUAL_PERCENT} % away from"
                    f" {amount_text(average, currency)}, the average of the last {len(usual)} periods",
                    "look at the lines, then issue it",
                )
            )
    return found


async def add(
    tx: Transaction,
    made: Made,
    basis: Basis,
    *,
    invoice_id: UUID,
    period_close_id: UUID,
    seller: Mapping[str, Any],
    rows: str,
) -> int:
    """Save a draft with its credits and its part of the waiting ``rows``; return how many entries it took."""
    client_id = UUID(made.frame["client"]["client_id"])
    draft = Draft(
        id=invoice_id,
        client_id=client_id,
        period_close_id=period_close_id,
        currency=made.currency,
        starts_on=basis.starts_on,
        ends_on=basis.ends_on,
        content=made.frame,
    )
    findings = await findings_of(tx, client_id=client_id, content=made.frame, seller=seller)
    taken = await invoices.add_draft(
        tx,
        draft,
        asks_of_lines=[line.asks for line in made.lines],
        contract_ids=made.contract_ids,
        rows=rows,
        findings=findings,
    )
    assert taken is not None, "one invoice per client, period and currency"
    if made.credit_ids:
        await profiles.bind_credits(tx, invoice_id=invoice_id, credit_ids=made.credit_ids)
    await record(tx, InvoiceDrafted(occurred_at=tx.now, **state(draft), revision=1, status="draft"))
    return taken


async def make_anew(tx: Transaction, *, invoice_id: UUID, seller: Mapping[str, Any] | None) -> None:
    """Make a draft anew from the same work, with today's profile, terms, charges and credits.

    With ``seller`` what blocks it is looked at again; ``None`` leaves that to the issuing.

    Raises:
        NotFound: there is no such draft.
    """
    draft = await invoices.lock_draft(tx, invoice_id=invoice_id)
    if draft is None:
        raise NotFound
    await _make_anew(tx, draft, seller=seller)


async def make_drafts_anew(tx: Transaction, *, client_id: UUID, seller: Mapping[str, Any]) -> None:
    """Make every draft of a client anew: something about the client changed."""
    for draft in await invoices.lock_drafts(tx, client_id=client_id):
        await _make_anew(tx, draft, seller=seller)


async def _make_anew(tx: Transaction, draft: Draft, *, seller: Mapping[str, Any] | None) -> None:
    basis = await basis_of(
        tx, client_id=draft.client_id, starts_on=draft.starts_on, ends_on=draft.ends_on, invoice_id=draft.id
    )
    works = await intake.works(tx, entry_ids=draft.entry_ids)
    statement = [{k: v for k, v in one.items() if k != "ref"} for one in draft.content["statement"]]
    found = [one for one in made_of(basis, Summed.of(works), statement=statement) if one.currency == draft.currency]
    if not found:
        return
    anew = replace(draft, content=filled(found[0].frame, found[0].lines, works))
    findings = None
    if seller is not None:
        findings = await findings_of(tx, client_id=draft.client_id, content=anew.content, seller=seller)
    revision = await invoices.change_draft(tx, anew, content_text=canonical(anew.content), findings=findings)
    await profiles.bind_credits(tx, invoice_id=draft.id, credit_ids=found[0].credit_ids)
    await record(tx, InvoiceDrafted(occurred_at=tx.now, **state(anew), revision=revision, status="draft"))


async def look_again(tx: Transaction, *, seller: Mapping[str, Any]) -> None:
    """Look at every draft again after the seller changed; their contents stay."""
    for draft in await invoices.lock_drafts(tx):
        findings = await findings_of(tx, client_id=draft.client_id, content=draft.content, seller=seller)
        await invoices.change_findings(tx, draft, findings=findings)


def state(draft: Draft) -> dict[str, Any]:
    """Return what events say of an invoice."""
    return {
        "invoice_id": draft.id,
        "client_id": draft.client_id,
        "currency": draft.currency,
        "starts_on": draft.starts_on,
        "ends_on": draft.ends_on,
        **{name: draft.content[name] for name in ("net_minor", "tax_minor", "gross_minor", "worked_minutes")},
    }
