"""Minutes as people read them: hours and minutes, exactly. Twenty minutes are 0:20; as 0.33 hours nobody gets them back."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


def hours_and_minutes(minutes: int, *, group: str = ",") -> str:
    """Return whole minutes as ``21:45``, with a real minus sign below zero; ``group`` stands between thousands of hours."""
    whole, rest = divmod(abs(minutes), 60)
    return f"{MINUS if minutes < 0 else ''}{f'{whole:,}'.replace(',', group)}:{rest:02}"


def whole_minutes(text: str) -> int | None:
    """Return the minutes ``1:20`` stands for, ``None`` when the text is not hours and two digits of minutes."""
    whole, colon, rest = text.strip().partition(":")
    is_plain = text.isascii() and whole.isdigit() and rest.isdigit() and len(whole) <= 6 and len(rest) == 2
    return int(whole) * 60 + int(rest) if colon and is_plain and int(rest) < 60 else None
