"""One OpenAPI document of everything programs can do: the gateway's own and those of the services, merged."""

from __future__ import annotations

import time
from typing import Any

import orjson

from msp_kit.api import ACCESS
from portal_gateway.services import SERVICE_OF, Services
from portal_gateway.version import API_VERSION, PREFIX

CACHE_SECONDS = 60.0
_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head"})
_VERSION = {
    "name": "Api-Version",
    "in": "header",
    "required": False,
    "description": "The dated version the program was written for; the newest one when absent",
    "schema": {"type": "string", "enum": [API_VERSION]},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body again give the same answer, and do nothing again",
    "schema": {"type": "string", "minLength": 8, "maxLength": 128},
}


class Descriptions:
    """Merges the documents, and keeps the result for a minute while every service answers."""

    def __init__(self, services: Services, *, title: str) -> None:
        self.services = services
        self.title = title
        self._kept: tuple[float, bytes] | None = None

    async def merged(self, own: dict[str, Any]) -> bytes:
        """Return the merged document."""
        now = time.monotonic()
        if self._kept is not None and now - self._kept[0] < CACHE_SECONDS:
            return self._kept[1]
        others = await self.services.documents()
        document = orjson.dumps(merge(own, others, title=self.title))
        if len(others) == len(self.services.urls):
            self._kept = (now, document)
        return document


def merge(own: dict[str, Any], others: dict[str, dict[str, Any]], *, title: str) -> dict[str, Any]:
    """Return one document; shapes bear the name of their service, so that two may be called alike."""
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": f"{title} API", "version": API_VERSION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": {},
        "components": {
            "schemas": {},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    for service, document in {"portal-gateway": own, **others}.items():
        for path, operations in document.get("paths", {}).items():
            if service != "portal-gateway" and SERVICE_OF.get(path.split("/", 2)[1]) != service:
                continue
            kept = {
                method: _operation(service, operation)
                for method, operation in operations.items()
                if method in _METHODS and ACCESS in operation
            }
            if kept:
                merged["paths"][path if service == "portal-gateway" else PREFIX + path] = kept
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            merged["components"]["schemas"][_named(service, name)] = _renamed(service, schema)
    return merged


def _operation(service: str, operation: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = _renamed(service, operation)
    made["operationId"] = f"{service}.{operation['operationId']}"
    made["x-msp-service"] = service
    more = [_VERSION] if service == "portal-gateway" or "requestBody" not in operation else [_VERSION, _KEY]
    made["parameters"] = [*made.get("parameters", []), *more]
    if operation[ACCESS].get("public"):
        made["security"] = []
    return made


def _named(service: str, name: str) -> str:
    return f"{service}.{name}"


def _renamed(service: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: f"#/components/schemas/{_named(service, found.rpartition('/')[2])}"
            if key == "$ref" and isinstance(found, str)
            else _renamed(service, found)
            for key, found in value.items()
        }
    return [_renamed(service, one) for one in value] if isinstance(value, list) else value
