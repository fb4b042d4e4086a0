"""Ids in requests and answers: read with their prefix or bare, shown with it to programs and bare to the gateway's pages.

The gateway says with ``HEADER`` which of the two a service speaks to. Only the form depends on it, never what may be seen.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Annotated, Any, get_args
from uuid import UUID

from pydantic import (
    BaseModel,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from msp_events.catalog import KIND_OF
from msp_kernel.ids import PREFIXES, NotAnId, WrongKindOfId, is_bare, is_prefixed, parsed, prefixed

HEADER = "X-MSP-Ids"
PREFIXED = "prefixed"
_are_prefixed: ContextVar[bool] = ContextVar("ids_are_prefixed", default=False)
_BARE = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_EXAMPLE = UUID("0190a6c8-7d1e-7d0f-a2f1-d8c0b7a1e4f3")


@contextlib.contextmanager
def form(*, is_prefixed: bool) -> Iterator[None]:
    """Show ids with their prefix, or bare, within a block."""
    token = _are_prefixed.set(is_prefixed)
    try:
        yield
    finally:
        _are_prefixed.reset(token)


class IdOf:
    """Makes a UUID the id of one kind of thing: ``Annotated[UUID, IdOf("client")]``."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.prefix = f"{PREFIXES[kind]}_"

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how the id is read and shown."""
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.show, when_used="json")
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the id as programs see it: read in two forms, answered in one."""
        return self.described(is_answer=handler.mode == "serialization")

    def described(self, *, is_answer: bool = False) -> JsonSchemaValue:
        """Return the JSON Schema of the id."""
        whole = f"{self.prefix}[0-9a-f]{{32}}"
        return {
            "type": "string",
            "pattern": f"^{whole}$" if is_answer else f"^({whole}|{_BARE})$",
            "examples": [prefixed(self.kind, _EXAMPLE)],
        }

    def read(self, given: object) -> UUID:
        """Return the UUID that was given in either form."""
        if isinstance(given, UUID):
            return given
        try:
            return parsed(self.kind, given if isinstance(given, str) else "")
        except WrongKindOfId as error:
            raise PydanticCustomError("wrong_kind_of_id", "{reason}", {"reason": str(error)}) from error
        except NotAnId as error:
            raise PydanticCustomError("not_an_id", "{reason}", {"reason": str(error)}) from error

    def show(self, bare: UUID) -> str:
        """Return the id in the form the answer has."""
        return self.prefix + bare.hex if _are_prefixed.get() else str(bare)


class IdOrName:
    """Makes a text either the id of a kind, kept bare, or a name people use: ``Annotated[str, IdOrName("order")]``."""

    def __init__(self, kind: str) -> None:
        self.id = IdOf(kind)

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how the text is read and shown."""
        return core_schema.no_info_after_validator_function(
            self.read,
            core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(self.show, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return both forms."""
        whole = self.id.described(is_answer=handler.mode == "serialization")
        return {"anyOf": [whole, {"type": "string", "maxLength": 200}]}

    def read(self, given: str) -> str:
        """Return the bare id, or the name as it was given."""
        return str(self.id.read(given)) if is_prefixed(given) else given

    def show(self, kept: str) -> str:
        """Return the name, or the id in the form the answer has."""
        return self.id.show(UUID(kept)) if is_bare(kept) else kept


class IdsWithin:
    """Does for a document without a type what ``IdOf`` does for a field: ids are found by the names they have in it.

    ``Annotated[dict[str, Any], IdsWithin(customer_id="customer")]``
    """

    def __init__(self, **kind_of: str) -> None:
        self.of = {name: IdOf(kind) for name, kind in kind_of.items()}

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how the document is read and shown: as what it is, but for its ids."""
        return core_schema.no_info_after_validator_function(
            self.read,
            handler(source),
            serialization=core_schema.wrap_serializer_function_ser_schema(self._serialized, when_used="json"),
        )

    def read(self, given: Any) -> Any:
        """Return a document with bare ids; what is no id stays as it is."""
        if not _are_prefixed.get():
            return given
        return self._each(given, lambda of, text: str(of.read(text)) if is_prefixed(text) else text)

    def show(self, kept: Any) -> Any:
        """Return a document with its ids in the form the answer has."""
        if not _are_prefixed.get():
            return kept
        return self._each(kept, lambda of, text: of.show(UUID(text)) if is_bare(text) else text)

    def _serialized(self, value: Any, whole: SerializerFunctionWrapHandler) -> Any:
        return self.show(whole(value))

    def _each(self, value: Any, change: Callable[[IdOf, str], str]) -> Any:
        if isinstance(value, list):
            return [self._each(one, change) if isinstance(one, dict | list) else one for one in value]
        made = {}
        for name, one in value.items():
            if isinstance(one, dict | list):
                made[name] = self._each(one, change)
            else:
                made[name] = change(self.of[name], one) if name in self.of and isinstance(one, str) else one
        return made


def _subject(kept: str) -> str:
    stream, _, bare = kept.partition(":")
    return f"{stream}:{shown(KIND_OF[stream], UUID(bare))}" if stream in KIND_OF and is_bare(bare) else kept


Subject = Annotated[
    str,
    PlainSerializer(_subject, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^[a-z_]+(:[a-z]{3}_[0-9a-f]{32})?$"}, mode="serialization"),
]
"""What an event is about, ``<stream>:<id>``; or a word for what is no single thing."""


def shown(kind: str, bare: UUID) -> str:
    """Return an id within a longer text, in the form the answer has."""
    return prefixed(kind, bare) if _are_prefixed.get() else str(bare)


def form_of(field: FieldInfo) -> Callable[[Any], str] | None:
    """Return what shows the ids of a field, ``None`` for a field without ids."""
    parts = [*field.metadata, field.annotation]
    for part in parts:
        if isinstance(part, IdOf | IdOrName):
            return part.show
        if isinstance(part, PlainSerializer) and part.func is _subject:
            return _subject
        parts += get_args(part)
    return None


def stored(body: BaseModel, **options: Any) -> dict[str, Any]:
    """Return a body as JSON to be kept: its ids are bare, whoever sent it."""
    with form(is_prefixed=False):
        return body.model_dump(mode="json", **options)
