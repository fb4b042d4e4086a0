"""Statements of hours as documents for people."""
