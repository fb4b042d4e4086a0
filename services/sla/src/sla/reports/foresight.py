"""What a ticket would be promised."""

from __future__ import annotations

from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.problems import NotFound
from sla import store
from sla.domain.clock import whole_second
from sla.domain.foresight import Foreseen, foreseen


async def foresight(tx: Transaction, *, contract_id: UUID, level: str, job_type: str) -> list[Foreseen]:
    """Return what a ticket that is raised now would be promised, for each priority.

    Raises:
        NotFound: there is no such contract, or it is another client's.
    """
    terms = await store.terms_in_force(tx, contract_id)
    if terms is None:
        raise NotFound
    return foreseen(terms, level=level, job_type=job_type, at=whole_second(tx.now))
