"""The bodies and answers of HTTP: shapes, bounds and words; no rule that needs the database."""
