"""The rules of prices, taxes and invoices. Pure: no clock, no I/O, no event."""
