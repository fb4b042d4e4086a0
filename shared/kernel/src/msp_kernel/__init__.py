"""Pure values that two domains already need: money, business time, periods, ids. No I/O, no clock."""
