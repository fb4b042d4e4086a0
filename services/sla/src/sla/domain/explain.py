"""A clock in sentences: which rule applied and why, what counted and what did not, when it is due, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sla.domain import escalation
from sla.domain.causes import BreachCause
from sla.domain.clock import Clock, Interval
from sla.domain.targets import Rule, Terms, choose

_METRIC_WORDS = {"first_response": "First response", "next_response": "Next response", "resolution": "Resolution"}
_FLAG_WORDS = {"after_hours": "after hours", "weekends": "weekends", "holidays": "holidays"}


def sentences(clock: Clock, terms: Terms, *, now: datetime, causes: Sequence[BreachCause] = ()) -> list[str]:
    """Return the explanation of a clock at ``now``, oldest first, in local time of the contract's calendar."""
    zone = ZoneInfo(terms.calendar.timezone)
    return [
        _rule_sentence(clock, terms),
        *_carried(clock),
        *(_interval_sentence(clock, interval, zone, now) for interval in clock.intervals),
        *_threshold_sentences(clock, terms, zone),
        _ending_sentence(clock, zone, now),
        *(_cause_sentence(one, zone) for one in causes),
    ]


def duration(seconds: int) -> str:
    """Return business seconds as a person would write them: ``2 h 36 min``."""
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    if rest and not hours:
        parts.append(f"{rest} s")
    return sign + (" ".join(parts) or "0 min")


def applied_rule(clock: Clock, terms: Terms) -> Rule | None:
    """Return the rule of ``terms`` that chose the clock's target; ``None`` when these are other terms."""
    chosen = choose(terms.rules, metric=clock.metric, key=clock.key)
    return chosen if chosen is not None and chosen.rule_id == clock.promise.rule_id else None


def _rule_sentence(clock: Clock, terms: Terms) -> str:
    promise = clock.promise
    rule = applied_rule(clock, terms)
    matching = [one for one in terms.rules if one.metric == clock.metric and one.matches(clock.key)]
    widened = [word for name, word in _FLAG_WORDS.items() if getattr(promise.flags, name)]
    hours = f"counting {', '.join(widened)} too" if widened else "in the contract's hours"
    names = zip(("priority", "level", "job type"), () if rule is None else rule.pattern, strict=False)
    conditions = [f"{name} {value}" for name, value in names if value is not None]
    because = f"it asks for {', '.join(conditions)}" if conditions else "it speaks of every ticket"
    among = f"the most specific of {len(matching)} that match" if len(matching) > 1 else "the only one that matches"
    return (
        f"{_METRIC_WORDS[clock.metric]} within {duration(promise.budget_seconds)} {hours}: rule {promise.rule_id} of"
        f" contract version {promise.contract_version}, {among}; {because}."
    )


def _carried(clock: Clock) -> Sequence[str]:
    if clock.cycle == 1 and not clock.carried_seconds:
        return ()
    text = f"Cycle {clock.cycle}: {duration(clock.carried_seconds)} of the budget were used before it."
    return (text, "The miss of an earlier cycle stays.") if clock.is_breach_carried else (text,)


def _interval_sentence(clock: Clock, interval: Interval, zone: ZoneInfo, now: datetime) -> str:
    ends_at = interval.ends_at
    span = f"{_local(interval.starts_at, zone)} to {'now' if ends_at is None else _local(ends_at, zone)}"
    note = f" ({interval.note})" if interval.note else ""
    reason = interval.reason.replace("_", " ")
    if not interval.is_running:
        return f"{span}: paused, {reason}, nothing counted{note}."
    calendar = clock.promises[interval.promise].calendar
    seconds = calendar.between(interval.starts_at, now) if ends_at is None else interval.seconds
    elapsed = max((now if ends_at is None else ends_at) - interval.starts_at, timedelta()) // timedelta(seconds=1)
    outside = f", {duration(elapsed - seconds)} outside hours not counted" if elapsed - seconds >= 60 else ""
    because = f" ({reason})" if reason else ""
    return f"{span}: {duration(seconds)} counted{outside}{because}{note}."


def _threshold_sentences(clock: Clock, terms: Terms, zone: ZoneInfo) -> list[str]:
    found = []
    for at, step in escalation.pending(clock, escalation.steps_of(terms, clock.metric)):
        if step.kind == "at_risk":
            found.append(f"{step.percent} % of the budget is used on {_local(at, zone)}.")
        elif step.kind == "escalate":
            held = " at the end of the quiet hours" if at != clock.instant_of(step.percent) else ""
            found.append(f"Escalation step {step.step} {_deed(step)} on {_local(at, zone)}{held}.")
    if clock.acknowledged_at is not None:
        found.append(f"Acknowledged on {_local(clock.acknowledged_at, zone)}: the escalation chain is stopped.")
    return found


def _deed(step: escalation.Step) -> str:
    places = [place for place in (step.to_level, step.to_queue) if place]
    deeds = [f"moves the ticket to {' and '.join(places)}"] if places else []
    if step.to_priority is not None:
        deeds.append(f"raises its priority to {step.to_priority}")
    if step.notify:
        deeds.append("tells " + ", ".join(step.notify))
    return ", ".join(deeds) or "is noted"


def _ending_sentence(clock: Clock, zone: ZoneInfo, now: datetime) -> str:
    used = f"{duration(clock.consumed_seconds(now))} of {duration(clock.promise.budget_seconds)} used"
    breach = ""
    if clock.breached_at is not None:
        why = "because the target was changed" if clock.breach_reason == "retarget" else "because the budget ended"
        breach = f" Breached on {_local(clock.breached_at, zone)}, {why}."
    if clock.stopped_at is not None:
        return f"Stopped on {_local(clock.stopped_at, zone)} ({clock.stop_reason}), {used}: {clock.verdict}.{breach}"
    if clock.status == "paused":
        return (
            f"Paused with {duration(clock.remaining_seconds(now))} left, {used}; no due date until it resumes.{breach}"
        )
    due_at = clock.due_at
    assert due_at is not None, "a running clock is due some day"
    return f"Due on {_local(due_at, zone)}, {used}.{breach}"


def _cause_sentence(said: BreachCause, zone: ZoneInfo) -> str:
    comment = f": {said.comment}" if said.comment else ""
    return f"Cause set on {_local(said.set_at.replace(microsecond=0), zone)}, {said.cause.replace('-', ' ')}{comment}."


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%a %d %b %Y %H:%M" if not at.second else "%a %d %b %Y %H:%M:%S")
