"""Loads and saves domain values; holds the locks."""
