"""The sla service: what was promised, how it is going, and how it ended."""
