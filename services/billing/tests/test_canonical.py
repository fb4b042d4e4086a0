"""The one text of a content: what was hashed years ago is hashed the same way today."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, strategies as st

from billing.store.canonical import canonical
from billing.testing import an_invoice, some_work

PLAIN = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | PLAIN,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(PLAIN, inside, max_size=4),
    max_leaves=20,
)


@given(content=st.dictionaries(PLAIN, VALUES, max_size=6))
def test_a_content_is_json_with_sorted_keys_and_nothing_between(content: dict[str, Any]) -> None:
    assert canonical(content) == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_the_order_in_which_a_content_was_made_does_not_show() -> None:
    invoice = an_invoice(works=[some_work(overage=30, note="Grüße \N{SNOWMAN} \x7f")])

    assert canonical(invoice) == canonical(dict(reversed(invoice.items())))
    assert json.loads(canonical(invoice)) == invoice
