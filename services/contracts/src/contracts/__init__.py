"""Clients, their terms, and the ledger of their hours."""
