"""The description says of every answer what it is: JSON of a shape, or a file of a type."""

from __future__ import annotations

from description import merged


def test_no_answer_is_just_any_json() -> None:
    vague = [
        f"{method.upper()} {path}"
        for path, operations in merged()["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        if status < "300" and answer.get("content", {}).get("application/json", {}).get("schema") == {}
    ]

    assert vague == ["GET /api/v1/openapi.json"], "msp_kit.description.file_of(...)"
