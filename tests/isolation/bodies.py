"""Bodies a service accepts, made from its description: so that an attempt is refused for whose the object is."""

from __future__ import annotations

from typing import Any

from msp_kernel.ids import new_id

SAMPLES: dict[str, Any] = {"uuid": str(new_id()), "email": "sam@client.example", "date-time": "2026-03-02T09:00:00Z"}
SPECIAL: dict[str, Any] = {
    "currency": "GBP",
    "timezone": "Europe/London",
    "roles": ["requester"],
    "scopes": ["tickets:read"],
    "reason": "As it was agreed.",
}
"""Fields whose accepted values the schema does not tell."""


def body_of(document: dict[str, Any], path: str, method: str) -> dict[str, Any] | None:
    """Return what an operation accepts, its required fields only; ``None`` without a JSON body."""
    operation = document["paths"][path][method.lower()]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    made = None if content is None else _value(document, content["schema"], "")
    return made if isinstance(made, dict) else None


def _value(document: dict[str, Any], schema: dict[str, Any], name: str) -> Any:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if name in SPECIAL:
        return SPECIAL[name]
    for kept in ("const", "default"):
        if schema.get(kept) is not None:
            return schema[kept]
    if schema.get("enum"):
        return schema["enum"][0]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _value(document, schema[several][0], name)
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            wanted = schema.get("required") or list(fields)[: schema.get("minProperties", 0)]
            return {field: _value(document, fields[field], field) for field in wanted}
        case "array":
            return [_value(document, schema["items"], "")] * max(1, schema.get("minItems", 1))
        case "integer" | "number":
            return max(1, schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
        case "null":
            return None
    return _text(schema)


def _text(schema: dict[str, Any]) -> str:
    form = schema.get("format", "")
    if form == "date":
        return "2026-03-02"
    if form in SAMPLES:
        return str(SAMPLES[form])
    return "sample".ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 100)]
