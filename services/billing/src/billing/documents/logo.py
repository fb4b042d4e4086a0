"""Logos as people have them: PNG and SVG, read strictly, kept with nothing in them but what is drawn."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from billing.domain.profile import LogoNotUsable

BYTES_MAX = 200_000
PIXELS_MAX = 4_000_000
ELEMENTS_MAX = 2_000
RATIO_MAX = 12
_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_DRAWN = frozenset(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop clipPath mask title desc"
    " style".split()
)
_ELSEWHERE = re.compile(r"url\(\s*(?!['\"]?#)|@|\\|javascript:|expression\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo that can be put on documents and pages."""

    media_type: str
    body: bytes
    width: Decimal
    height: Decimal

    @property
    def sha256(self) -> str:
        """Return the hash by which invoices name it."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def is_wide(self) -> bool:
        """Return whether its width, not its height, is what has to be bounded."""
        return self.width > 4 * self.height

    @property
    def svg(self) -> str:
        """Return it as SVG: a picture of points is put into one."""
        if self.media_type == "image/svg+xml":
            return self.body.decode()
        data = base64.b64encode(self.body).decode()
        size = f'width="{self.width:g}" height="{self.height:g}"'
        return (
            f'<svg xmlns="{_SVG}" xmlns:xlink="{_XLINK}" {size} viewBox="0 0 {self.width:g} {self.height:g}">'
            f'<image {size} xlink:href="data:image/png;base64,{data}"/></svg>'
        )


def read(body: bytes) -> Logo:
    """Return a file as a logo, without anything that is not drawn.

    Raises:
        LogoNotUsable: with what is wrong and what would be accepted.
    """
    if not 1 <= len(body) <= BYTES_MAX:
        raise LogoNotUsable(f"the file has {len(body)} bytes; 1 to {BYTES_MAX} are accepted")
    logo = _png(body) if body.startswith(_PNG) else _svg(body)
    if max(logo.width, logo.height) > RATIO_MAX * min(logo.width, logo.height):
        raise LogoNotUsable(
            f"the picture is {logo.width:g} by {logo.height:g}; one side may be {RATIO_MAX} times the other at most"
        )
    return logo


def _png(body: bytes) -> Logo:
    chunks = list(_chunks(body))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13 or chunks[-1][0] != b"IEND":
        raise LogoNotUsable("the PNG is damaged; export it again")
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16) or not width or not height:
        raise LogoNotUsable("the PNG is damaged; export it again")
    if width * height > PIXELS_MAX:
        raise LogoNotUsable(f"the picture has {width} by {height} points; {PIXELS_MAX} in all are accepted")
    if interlace:
        raise LogoNotUsable("the PNG is interlaced; export it without that")
    expected = height * (1 + (width * depth * _CHANNELS[colour] + 7) // 8)
    reader = zlib.decompressobj()
    try:
        drawn = reader.decompress(b"".join(data for name, data in chunks if name == b"IDAT"), expected + 1)
    except zlib.error as error:
        raise LogoNotUsable("the PNG is damaged; export it again") from error
    if len(drawn) != expected:
        raise LogoNotUsable("the PNG is damaged; export it again")
    # What a camera or a program wrote beside the picture is nobody's business.
    kept = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
        if name in _KEPT
    )
    return Logo("image/png", _PNG + kept, Decimal(width), Decimal(height))


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    while at + 12 <= len(body):
        (length,) = struct.unpack_from(">I", body, at)
        name, data = body[at + 4 : at + 8], body[at + 8 : at + 8 + length]
        checked = body[at + 8 + length : at + 12 + length]
        if len(data) != length or checked != struct.pack(">I", zlib.crc32(name + data)):
            raise LogoNotUsable("the PNG is damaged; export it again")
        yield name, data
        at += 12 + length


def _svg(body: bytes) -> Logo:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise LogoNotUsable("the SVG defines entities or a document type; save it without them") from error
    except (ParseError, ValueError, LookupError) as error:
        raise LogoNotUsable("the file is neither a PNG nor an SVG") from error
    if root.tag != f"{{{_SVG}}}svg":
        raise LogoNotUsable("the file is neither a PNG nor an SVG")
    elements = list(root.iter())
    if len(elements) > ELEMENTS_MAX:
        raise LogoNotUsable(f"the SVG has {len(elements)} elements; {ELEMENTS_MAX} are accepted")
    for element in elements:
        _check(element)
        _plain(element)
    width, height = _size(root)
    # Read again, it is the same bytes.
    for name, value in (("width", f"{width:g}"), ("height", f"{height:g}"), ("xmlns", _SVG)):
        root.attrib.pop(name, None)
        root.set(name, value)
    return Logo("image/svg+xml", tostring(root), width, height)


def _check(element: Element) -> None:
    name = str(element.tag).rpartition("}")[2]
    if element.tag != f"{{{_SVG}}}{name}" or name not in _DRAWN:
        raise LogoNotUsable(
            f"the SVG has <{name[:40]}>; only shapes and colours are accepted: save it as plain SVG, texts as paths"
        )
    for key, value in element.attrib.items():
        plain = key.rpartition("}")[2]
        is_link = plain == "href"
        if plain.lower().startswith("on") or (is_link and not value.startswith("#")) or _ELSEWHERE.search(value):
            raise LogoNotUsable(f"<{name}> has {plain[:40]}={value[:40]!r}; nothing may run or come from elsewhere")
    if name == "style" and _ELSEWHERE.search(element.text or ""):
        raise LogoNotUsable("the styles of the SVG name something elsewhere; only plain rules are accepted")


def _plain(element: Element) -> None:
    """Leave names of SVG only; what drawing programs note for themselves goes."""
    element.tag = str(element.tag).rpartition("}")[2]
    for key in [one for one in element.attrib if one.startswith("{")]:
        value = element.attrib.pop(key)
        if key == f"{{{_XLINK}}}href":
            element.set("href", value)


def _size(root: Element) -> tuple[Decimal, Decimal]:
    """Return width and height, of the view box first: it is what is drawn."""
    box = re.split(r"[\s,]+", root.get("viewBox", "").strip())
    given = box[2:] if len(box) == 4 else [root.get("width", ""), root.get("height", "")]
    found = [re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(?:px|pt|mm)?", one) for one in given]
    sides = [Decimal(one[1]) for one in found if one is not None]
    if len(sides) != 2 or not all(sides):
        raise LogoNotUsable("the SVG does not say how large it is; give it a viewBox")
    return sides[0], sides[1]
