"""Plumbing shared by every service: transactions, messages, HTTP, identity. It knows not one business noun."""
