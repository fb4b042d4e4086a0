"""A thin typed client of the Effigate API.

It knows the rules every operation follows (keys, pages, problems, safe repetition, versions), and no operation by name:
what there is stands in ``/api/v1/openapi.json``.
"""

from __future__ import annotations

from msp_client.client import API_VERSION, Client, Event, Problem

__all__ = ["API_VERSION", "Client", "Event", "Problem"]
