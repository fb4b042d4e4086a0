"""Logos: what is taken, what is refused and why, and that documents with one are still PDF/A-3b."""

from __future__ import annotations

import io
import struct
import zlib

import pypdf
import pytest

from billing.documents import made_for
from billing.documents.logo import BYTES_MAX, Logo, read
from billing.documents.pdf import try_out
from billing.domain.profile import LogoNotUsable
from billing.testing import an_invoice

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 40">{}</svg>'
SHAPES = (
    '<defs><linearGradient id="g"><stop offset="0" stop-color="#0b6074"/><stop offset="1" stop-color="#fff" stop-opacity=".4"/>'
    '</linearGradient></defs><style>.a{fill:url(#g)}</style><path class="a" d="M0 0h120v40H0z"/><circle cx="20" cy="20" r="9"/>'
)


def a_png(width: int = 60, height: int = 20, *, extra: bytes = b"", interlace: int = 0) -> bytes:
    """Return a PNG with transparency; ``extra`` goes between its head and its points."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, interlace))
    points = zlib.compress(b"".join(b"\0" + b"\x0b\x60\x74\x80" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", points) + chunk(b"IEND", b"")


def a_text_chunk(text: bytes) -> bytes:
    content = b"Author\0" + text
    return struct.pack(">I", len(content)) + b"tEXt" + content + struct.pack(">I", zlib.crc32(b"tEXt" + content))


LOGOS = {
    "png": a_png(),
    "svg": SVG.format(SHAPES).encode(),
    "wide": SVG.replace("120 40", "400 40").format("<path d='M0 0h400v40z'/>").encode(),
}


@pytest.mark.parametrize("kind", LOGOS)
def test_documents_with_a_logo_are_pdf_a_carry_the_e_invoice_and_are_the_same_bytes_again(kind: str) -> None:
    logo = read(LOGOS[kind])
    invoice = an_invoice()

    made = made_for(invoice, logo)

    reader = pypdf.PdfReader(io.BytesIO(made["pdf"]))
    text = reader.root_object["/Metadata"].get_object().get_data().decode()  # type: ignore[union-attr]
    assert "<pdfaid:part>3</pdfaid:part>" in text
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in text
    assert reader.attachments["factur-x.xml"] == [made["cii"]]
    assert made["pdf"] != made_for(invoice)["pdf"]
    assert made["pdf"] == made_for(invoice, read(LOGOS[kind]))["pdf"]


def test_the_accent_of_the_brand_is_drawn() -> None:
    def drawn(colour: str) -> bytes:
        invoice = an_invoice(seller={"brand_colour": colour})
        pages = pypdf.PdfReader(io.BytesIO(made_for(invoice)["pdf"])).pages
        contents = pages[0].get_contents()
        assert contents is not None
        return bytes(contents.get_data())

    # Red, green and blue of 255, 0 and 128, each a part of one.
    assert b"1 0 0.5019608 sc" in drawn("#ff0080")
    assert b"1 0 0.5019608 sc" not in drawn("#0b6074")


def test_what_is_written_beside_a_picture_goes() -> None:
    logo = read(a_png(extra=a_text_chunk(b"Jane Doe, 51.45 N 2.58 W")))

    assert (logo.media_type, b"Jane" in logo.body) == ("image/png", False)
    assert read(logo.body).body == logo.body
    assert logo.sha256 == read(a_png()).sha256


def test_what_drawing_programs_note_for_themselves_goes_and_links_within_stay() -> None:
    inside = "<linearGradient id='a'/><linearGradient id='b' xlink:href='#a' i:label='Jane'/><path fill='url(#b)' d='M0 0h9v9z'/>"
    root = SVG.replace("<svg ", "<svg xmlns:xlink='http://www.w3.org/1999/xlink' xmlns:i='urn:ink' ")

    drawn = read(root.format(inside).encode()).body.decode()

    assert 'href="#a"' in drawn
    assert "Jane" not in drawn
    assert drawn.startswith('<svg viewBox="0 0 120 40"')
    assert read(drawn.encode()).body.decode() == drawn


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<foreignObject/>", "<foreignObject>"),
        ("<image href='http://example.com/x.png'/>", "<image>"),
        ("<text>Meridian</text>", "texts as paths"),
        ("<use href='#a'/>", "<use>"),
        ("<a href='#x'/>", "<a>"),
        ("<animate attributeName='x'/>", "<animate>"),
        ("<path onload='alert(1)' d='M0 0'/>", "onload"),
        ("<path fill='url(http://example.com/#x)' d='M0 0'/>", "come from elsewhere"),
        ("<path fill='url( &#34;//example.com/x&#34;)' d='M0 0'/>", "come from elsewhere"),
        ("<linearGradient href='http://example.com/#x'/>", "come from elsewhere"),
        ("<path style='background:\\75rl(x)' d='M0 0'/>", "come from elsewhere"),
        ("<style>@import 'x.css';</style>", "styles of the SVG"),
        ("<style>path{fill:url(//example.com)}</style>", "styles of the SVG"),
        ("<x:meta xmlns:x='urn:x'/>", "<meta>"),
        ("<g>" * 2_001 + "</g>" * 2_001, "2000 are accepted"),
    ],
)
def test_an_svg_that_could_run_or_fetch_something_is_refused_by_name(inside: str, said: str) -> None:
    with pytest.raises(LogoNotUsable, match=said.replace("(", r"\(")):
        read(SVG.format(inside).encode())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "0 bytes"),
        (b"x" * (BYTES_MAX + 1), "200000 are accepted"),
        (b"GIF89a", "neither a PNG nor an SVG"),
        (b"<html/>", "neither a PNG nor an SVG"),
        (b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + SVG.format("&a;").encode(), "document type"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "viewBox"),
        (SVG.replace("120 40", "120 0").format("").encode(), "viewBox"),
        (SVG.replace("120 40", "1300 100").format("").encode(), "one side"),
        (a_png()[:-20], "damaged"),
        (a_png().replace(b"IDAT", b"IDAX"), "damaged"),
        (a_png(20_000, 300), "4000000 in all"),
        (a_png(interlace=1), "interlaced"),
        (a_png(240, 10), "one side"),
    ],
)
def test_a_file_that_is_no_logo_is_refused_with_what_would_be_accepted(body: bytes, said: str) -> None:
    with pytest.raises(LogoNotUsable, match=said):
        read(body)


def test_points_that_do_not_fit_the_head_are_damage_however_many_they_are() -> None:
    bomb = a_png(60, 20).replace(struct.pack(">II", 60, 20), struct.pack(">II", 60, 19))
    head = bomb[12:29]
    mended = bomb.replace(bomb[29:33], struct.pack(">I", zlib.crc32(head)))

    with pytest.raises(LogoNotUsable, match="damaged"):
        read(mended)


def test_what_the_compiler_cannot_draw_is_refused_when_it_comes_in() -> None:
    broken = Logo("image/svg+xml", b"<svg", read(LOGOS["svg"]).width, read(LOGOS["svg"]).height)

    with pytest.raises(LogoNotUsable, match="cannot be put in a document"):
        try_out(broken)
