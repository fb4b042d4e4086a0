"""The MSP's logo on a real database: set, kept by what was issued with it, shown to whoever may see a document."""

from __future__ import annotations

import base64
import io

import pypdf
from office import Office

from billing.testing import SELLER, posted
from msp_kit.testing import a_client_person, a_staff_person

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40"><path fill="#0b6074" d="M0 0h120v40H0z"/></svg>'


def as_body(content: bytes) -> dict[str, str]:
    return {"content": base64.b64encode(content).decode()}


async def stored_pdf(office: Office, invoice_id: str) -> bytes:
    answer = await office.requests.get(office.manager, f"/invoices/{invoice_id}/pdf")
    assert answer.status_code == 200
    return bytes(answer.content)


async def test_a_logo_is_on_documents_from_now_on_and_issued_ones_keep_theirs(office: Office) -> None:
    assert (await office.put("/seller/logo", as_body(SVG))).status_code == 204
    assert (await office.put("/seller", {**SELLER, "phone": "1"})).status_code == 200
    seller = await office.get("/seller")
    picture = await office.requests.get(office.manager, "/seller/logo")
    assert (picture.headers["content-type"], picture.headers["content-security-policy"]) == (
        "image/svg+xml",
        "default-src 'none'; sandbox",
    )

    invoice = await office.issued(posted(office.client, office.contract, minutes=150, overage=90))

    assert invoice["seller"]["logo_sha256"] == seller["logo_sha256"]
    pdf = await stored_pdf(office, invoice["id"])
    drawn = pypdf.PdfReader(io.BytesIO(pdf)).pages[0].get_contents()
    assert drawn is not None
    answer = await office.requests.send(office.manager, "DELETE", "/seller/logo")
    assert answer.status_code == 204
    assert "logo_sha256" not in await office.get("/seller")
    assert await stored_pdf(office, invoice["id"]) == pdf
    # The credit note takes over what the invoice was issued with.
    note = await office.post(f"/invoices/{invoice['id']}/credit-notes", {"reason": "agreed"})
    assert note["seller"]["logo_sha256"] == seller["logo_sha256"]
    assert await office.verified() == []


async def test_a_draft_is_shown_with_the_brand_it_would_be_issued_with(office: Office) -> None:
    draft = await office.drafted(posted(office.client, office.contract, minutes=150, overage=90))
    plain = await stored_pdf(office, draft["id"])

    await office.put("/seller/logo", as_body(SVG))

    assert await stored_pdf(office, draft["id"]) != plain


async def test_who_has_a_link_sees_lines_totals_and_how_to_pay_but_not_who_worked(office: Office) -> None:
    await office.put("/seller/logo", as_body(SVG))
    invoice = await office.issued(posted(office.client, office.contract, minutes=150, overage=90, note="private"))
    link = await office.post(f"/invoices/{invoice['id']}/links", {"days": 3})
    await office.post(
        f"/invoices/{invoice['id']}/credit-notes", {"reason": "agreed", "lines": [{"n": 1, "net_minor": 100}]}
    )

    shown = await office.post("/hosted-invoices", {"token": link["token"]})
    logo = await office.requests.post(office.manager, "/hosted-invoices/logo", {"token": link["token"]})

    assert [line["net_minor"] for line in shown["lines"]] == [line["net_minor"] for line in invoice["lines"]]
    assert (shown["gross_minor"], shown["credited_minor"], shown["open_minor"]) == (508_560, 120, 508_440)
    assert sum(tax["tax_minor"] for tax in shown["taxes"]) == shown["tax_minor"] == invoice["tax_minor"]
    assert shown["iban"] == SELLER["iban"]
    assert "private" not in str(shown)
    assert (logo.status_code, b"<path" in logo.content) == (200, True)


async def test_a_logo_is_for_finance_to_change_and_a_bad_one_is_told(office: Office) -> None:
    for caller in (a_staff_person("manager"), a_client_person(office.client, "admin")):
        answer = await office.requests.send(caller, "PUT", "/seller/logo", as_body(SVG))
        assert answer.status_code == 403

    script = SVG.replace(b"<path", b"<script>x</script><path")
    answer = await office.put("/seller/logo", as_body(script))

    assert (answer.status_code, answer.json()["code"]) == (422, "logo-not-usable")
    assert "<script>" in answer.json()["detail"]
    assert (await office.put("/seller/logo", {"content": "a"})).json()["code"] == "invalid-request"
    assert (await office.requests.get(office.manager, "/seller/logo")).status_code == 404
