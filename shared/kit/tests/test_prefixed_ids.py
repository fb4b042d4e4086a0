"""Ids as programs see them: read in two forms, shown in the one the gateway asked for, kept bare."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from msp_kit import ids
from msp_kit.api import Body, View
from msp_kit.export import CsvResponse
from msp_kit.ids import IdOf, IdOrName, IdsWithin, Subject

BARE = UUID("0190a6c8-7d1e-7d0f-a2f1-d8c0b7a1e4f3")
HEX = BARE.hex
OrderId = Annotated[UUID, IdOf("ticket")]
OrderName = Annotated[str, IdOrName("ticket")]
Paper = Annotated[dict[str, Any], IdsWithin(client_id="client")]


class Order(View):
    id: OrderId
    parent_id: OrderId | None
    others: list[OrderId] = []
    asked_for: OrderName = ""
    about: Subject = ""
    paper: Paper = {}


ORDER = Order(
    id=BARE,
    parent_id=None,
    others=[BARE],
    asked_for=str(BARE),
    about=f"invoice:{BARE}",
    paper={"client_id": str(BARE), "note": str(BARE), "rows": [{"client_id": str(BARE)}, {"client_id": None}]},
)


def shown(*, is_prefixed: bool) -> dict[str, Any]:
    with ids.form(is_prefixed=is_prefixed):
        found: dict[str, Any] = json.loads(ORDER.model_dump_json())
    return found


def test_a_page_of_ours_gets_bare_ids() -> None:
    answer = shown(is_prefixed=False)

    assert (answer["id"], answer["others"], answer["asked_for"]) == (str(BARE), [str(BARE)], str(BARE))
    assert answer["about"] == f"invoice:{BARE}"
    assert answer["paper"] == ORDER.paper


def test_a_program_gets_ids_with_their_prefix_wherever_they_stand() -> None:
    answer = shown(is_prefixed=True)

    assert (answer["id"], answer["parent_id"], answer["others"]) == (f"tkt_{HEX}", None, [f"tkt_{HEX}"])
    assert (answer["asked_for"], answer["about"]) == (f"tkt_{HEX}", f"invoice:inv_{HEX}")
    assert answer["paper"]["rows"] == [{"client_id": f"cli_{HEX}"}, {"client_id": None}]
    assert answer["paper"]["note"] == str(BARE), "only what is named as an id is one"


def test_a_name_that_is_no_id_stays_as_it_is() -> None:
    with ids.form(is_prefixed=True):
        order = ORDER.model_copy(update={"asked_for": "MER-12", "about": "approvals"})

        answer = json.loads(order.model_dump_json())

    assert (answer["asked_for"], answer["about"]) == ("MER-12", "approvals")


@pytest.mark.parametrize("given", [f"tkt_{HEX}", str(BARE), str(BARE).upper(), BARE])
def test_both_forms_are_read(given: object) -> None:
    assert TypeAdapter(OrderId).validate_python(given) == BARE


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        (f"inv_{HEX}", "wrong_kind_of_id", "inv_… is the id of an invoice; the id of a ticket begins with tkt_"),
        (HEX, "not_an_id", "tkt_ and 32 hexadecimal digits, or a UUID"),
        (7, "not_an_id", "tkt_ and 32 hexadecimal digits, or a UUID"),
        (None, "not_an_id", "tkt_ and 32 hexadecimal digits, or a UUID"),
    ],
)
def test_what_is_no_id_of_the_kind_is_refused_with_what_would_be(given: object, code: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(OrderId).validate_python(given)

    (error,) = refused.value.errors()
    assert error["type"] == code
    assert says in error["msg"]


def test_the_id_of_another_kind_is_no_name() -> None:
    assert TypeAdapter(OrderName).validate_python(f"tkt_{HEX}") == str(BARE)
    assert TypeAdapter(OrderName).validate_python("MER-12") == "MER-12"
    with pytest.raises(ValidationError, match="is the id of an invoice"):
        TypeAdapter(OrderName).validate_python(f"inv_{HEX}")


def test_the_ids_of_a_document_are_kept_bare() -> None:
    with ids.form(is_prefixed=True):
        kept = TypeAdapter(Paper).validate_python({"rows": [{"client_id": f"cli_{HEX}"}], "client_id": "whoever"})
        with pytest.raises(ValidationError, match="is the id of a ticket"):
            TypeAdapter(Paper).validate_python({"client_id": f"tkt_{HEX}"})

    assert kept == {"rows": [{"client_id": str(BARE)}], "client_id": "whoever"}


def test_a_body_is_kept_bare_whoever_sent_it() -> None:
    class Filter(Body):
        order_id: OrderId

    with ids.form(is_prefixed=True):
        kept = ids.stored(Filter.model_validate({"order_id": f"tkt_{HEX}"}))

        assert kept == {"order_id": str(BARE)}
        assert shown(is_prefixed=True)["id"] == f"tkt_{HEX}", "and the answer is in the form asked for"


def test_a_file_has_the_ids_of_the_answer() -> None:
    with ids.form(is_prefixed=True):
        content = bytes(CsvResponse(Order, [ORDER], name="orders").body).decode()

    header, row = content.splitlines()
    assert header.startswith("id,parent_id,")
    assert row.startswith(f"tkt_{HEX},,")
    assert f",invoice:inv_{HEX}," in row


def test_the_description_tells_what_is_read_and_what_is_answered() -> None:
    read, answered = (TypeAdapter(OrderId).json_schema(mode=mode) for mode in ("validation", "serialization"))

    assert answered == {
        "type": "string",
        "pattern": "^tkt_[0-9a-f]{32}$",
        "examples": ["tkt_0190a6c87d1e7d0fa2f1d8c0b7a1e4f3"],
    }
    assert read["pattern"] == "^(tkt_[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
