"""Documents a finance department accepts."""
