"""The one OpenAPI document of everything, made without a server: the services' own documents, merged as the gateway does."""

from __future__ import annotations

import functools
import importlib
import json
from typing import Any

from pydantic import SecretStr

from msp_kit import identity
from msp_kit.database import Database
from msp_kit.testing import KEY
from portal_gateway.descriptions import merge

SERVICES = ("contracts", "tickets", "sla", "billing", "portal_gateway")
_URL = "postgresql://nobody:nothing@127.0.0.1/none"


@functools.cache
def merged() -> dict[str, Any]:
    """Return the document as ``/api/v1/openapi.json`` answers it."""
    documents = {module.replace("_", "-"): _own(module) for module in SERVICES}
    return merge(documents.pop("portal-gateway"), documents, title="Effigate")


def _own(module: str) -> dict[str, Any]:
    settings = {
        "database_url": SecretStr(_URL),
        "amqp_url": SecretStr("amqp://none"),
        "identity_public_keys": json.dumps(identity.public_keys([KEY])),
    }
    if module == "portal_gateway":
        urls = {f"{other}_url": "http://127.0.0.1:1" for other in SERVICES if other != module}
        settings |= {**urls, "identity_private_key": SecretStr(json.dumps(KEY)), "public_url": "http://127.0.0.1:1"}
    database = Database(_URL, service=module, database=module, pool_size=2)
    made = importlib.import_module(f"{module}.settings").Settings(**settings)
    document: dict[str, Any] = importlib.import_module(f"{module}.api").create(made, database).openapi()
    return document
