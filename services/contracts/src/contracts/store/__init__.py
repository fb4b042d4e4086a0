"""Loading and saving domain values; the only place, with the reports, where SQL is written."""
