"""What the tickets service hears: terms, clocks, hours, people, and requests to seal a period."""

from __future__ import annotations

from collections.abc import Sequence

from msp_events.billing import PeriodCloseRequested
from msp_events.contracts import (
    BucketBalanceChanged,
    BucketExhausted,
    BucketState,
    BucketThresholdCrossed,
    ClientRegistered,
    ClientUpdated,
    ContractActivated,
    ContractAmended,
    ContractEnded,
    ContractState,
    HoursHeld,
    HoursPosted,
    HoursReleased,
    HoursState,
    JobTypeDefined,
    PeriodReopened,
    TimeRefused,
)
from msp_events.monitoring import AlertCleared, AlertFired
from msp_events.portal import PersonJoined, PersonState, PersonUpdated
from msp_events.sla import (
    ClockExcluded,
    ClockPaused,
    ClockResumed,
    ClockRetargeted,
    ClockStarted,
    ClockState,
    EscalationRequested,
    SlaAtRisk,
    SlaBreached,
    SlaBreachVoided,
    SlaMet,
    SlaMissed,
)
from msp_kit.consumers import Consumers, Permanent
from msp_kit.database import Transaction
from msp_kit.problems import NotFound
from tickets.actions import alerting, copies, escalation, sealing, time
from tickets.actions.alerting import Alert
from tickets.domain.scope import AmbiguousContract, JobTypeOutsideContract, LevelOutsideContract, NoActiveContract

consumers = Consumers(
    "tickets",
    order={
        "contracts.client": "state",
        "contracts.job_type": "state",
        "contracts.contract": "state",
        "contracts.hours": "effect",
        "contracts.bucket": "state",
        "contracts.period": "effect",
        "sla.clock": "effect",
        "billing.run": "effect",
        "portal-gateway.person": "state",
        # From outside: no numbers to wait for; an alert tells its own time.
        "monitoring.alert": "effect",
    },
    # Copies for the screen: hours, balances and clocks may come a blink later.
    gather_seconds=0.03,
)


@consumers.hears(ClientRegistered, ClientUpdated)
async def on_client(tx: Transaction, event: ClientRegistered | ClientUpdated) -> None:
    """Keep the client's name, code and zone."""
    await copies.keep_client(tx, event)


@consumers.hears(JobTypeDefined)
async def on_job_type(tx: Transaction, event: JobTypeDefined) -> None:
    """Keep the catalogue of job types."""
    await copies.keep_job_type(tx, event)


@consumers.hears(ContractActivated, ContractAmended, ContractEnded)
async def on_contract(tx: Transaction, event: ContractState) -> None:
    """Keep what can be chosen under the contract."""
    await copies.keep_contract(tx, event)


@consumers.hears(PersonJoined, PersonUpdated)
async def on_person(tx: Transaction, event: PersonState) -> None:
    """Keep who may act."""
    await copies.keep_person(tx, event)


@consumers.hears_many(BucketBalanceChanged, BucketThresholdCrossed, BucketExhausted)
async def on_balances(tx: Transaction, events: Sequence[BucketState]) -> None:
    """Keep the balances the lists show."""
    await copies.keep_balances(tx, events)


@consumers.hears_many(HoursHeld, HoursPosted, HoursReleased)
async def on_hours(tx: Transaction, events: Sequence[HoursState]) -> None:
    """Keep what became of each entry on its contract."""
    await copies.keep_hours(tx, events)


@consumers.hears(TimeRefused)
async def on_time_refused(tx: Transaction, event: TimeRefused) -> None:
    """Show that no contract could take an entry."""
    await time.refuse_by_contract(tx, entry_id=event.time_entry_id, reason=event.detail)


@consumers.hears_many(
    ClockStarted,
    ClockPaused,
    ClockResumed,
    ClockRetargeted,
    SlaMet,
    SlaMissed,
    ClockExcluded,
    SlaAtRisk,
    SlaBreached,
    SlaBreachVoided,
)
async def on_clocks(tx: Transaction, events: Sequence[ClockState]) -> None:
    """Keep the clocks the lists show."""
    await copies.keep_clocks(tx, events)


@consumers.hears(EscalationRequested)
async def on_escalation(tx: Transaction, event: EscalationRequested) -> None:
    """Move the ticket as its contract's chain says."""
    await copies.keep_clocks(tx, [event])
    await escalation.follow(tx, event)


@consumers.hears(PeriodCloseRequested)
async def on_period_close_requested(tx: Transaction, event: PeriodCloseRequested) -> None:
    """Seal the client's period."""
    await sealing.seal_period(tx, event)


@consumers.hears(PeriodReopened)
async def on_period_reopened(tx: Transaction, event: PeriodReopened) -> None:
    """Open the client's period again, until it is asked for anew."""
    await sealing.reopen_period(tx, event)


@consumers.hears(AlertFired, AlertCleared)
async def on_alert(tx: Transaction, event: AlertFired | AlertCleared) -> None:
    """Open, tell or resolve the ticket of an alert."""
    names = ("client_id", "system", "dedup_key", "severity", "title", "description", "job_type", "level")
    alert = Alert(
        state="firing" if isinstance(event, AlertFired) else "cleared",
        at=min(event.occurred_at, tx.now),
        **{name: getattr(event, name) for name in names},
    )
    try:
        await alerting.report(tx, alert)
    except NotFound as error:
        raise Permanent(f"there is no client {event.client_id}") from error
    except (NoActiveContract, AmbiguousContract, JobTypeOutsideContract, LevelOutsideContract) as error:
        raise Permanent(str(error)) from error
