"""The rules of tickets and time. Pure: no clock, no I/O, no event."""
