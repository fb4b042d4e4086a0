"""Brings the history of another system in, through the same API everybody uses."""
