"""Pictures somebody uploads as the logo: what is kept of them draws, and does nothing else."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from xml.etree import ElementTree as ET

BYTES_MAX = 200_000
SIDE_PIXELS_MAX = 2000
NODES_MAX = 2000
PNG, SVG = "image/png", "image/svg+xml"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"sRGB", b"gAMA", b"pHYs"}
_SPACE = "http://www.w3.org/2000/svg"
_ELEMENTS = set(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop clipPath title desc text"
    " tspan".split()
)
_ATTRIBUTES = set(
    "id viewBox width height x y x1 x2 y1 y2 cx cy r rx ry fx fy d points transform fill fill-rule fill-opacity stroke"
    " stroke-width stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-opacity opacity offset stop-color"
    " stop-opacity gradientUnits gradientTransform spreadMethod clip-path clip-rule clipPathUnits preserveAspectRatio"
    " font-family font-size font-weight text-anchor letter-spacing color".split()
)
_DRAWS = {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text"}
_ELSEWHERE = re.compile(r"url\s*\(\s*[\"']?(?!#)|[a-z]+script:|data:|//", re.IGNORECASE)


class LogoRefused(Exception):
    """The file is not a picture that may be the logo; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that is safe to show."""

    content: bytes
    media_type: str


def checked(content: bytes) -> Logo:
    """Return a logo without anything that does not draw.

    Raises:
        LogoRefused: too large, or neither PNG nor SVG.
    """
    if len(content) > BYTES_MAX:
        raise LogoRefused(f"the file has {len(content) // 1000} kB; up to {BYTES_MAX // 1000} kB are accepted")
    if content.startswith(_PNG_MAGIC):
        return Logo(_png(content), PNG)
    if b"<svg" in content[:4000]:
        return Logo(_svg(content), SVG)
    raise LogoRefused("the file is neither PNG nor SVG; one of these is accepted")


def _png(content: bytes) -> bytes:
    """Return the chunks that draw, each with a right checksum; texts, profiles and what follows the end are left out."""
    kept, at = [_PNG_MAGIC], len(_PNG_MAGIC)
    names: list[bytes] = []
    while at + 12 <= len(content) and (not names or names[-1] != b"IEND"):
        (length,) = struct.unpack(">I", content[at : at + 4])
        chunk, name = content[at : at + length + 12], content[at + 4 : at + 8]
        if len(chunk) != length + 12 or struct.unpack(">I", chunk[-4:])[0] != zlib.crc32(chunk[4:-4]):
            raise LogoRefused("the PNG is damaged; save it anew")
        names.append(name)
        if name in _PNG_KEPT:
            kept.append(chunk)
        at += length + 12
    if names[:1] != [b"IHDR"] or names[-1:] != [b"IEND"] or b"IDAT" not in names:
        raise LogoRefused("the PNG is incomplete; save it anew")
    width, height = struct.unpack(">II", content[16:24])
    if not (0 < width <= SIDE_PIXELS_MAX and 0 < height <= SIDE_PIXELS_MAX):
        raise LogoRefused(f"the PNG has {width} x {height} pixels; up to {SIDE_PIXELS_MAX} on each side are accepted")
    return b"".join(kept)


def _svg(content: bytes) -> bytes:
    """Return the elements and attributes that draw: no scripts, links, styles, animations or foreign content."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LogoRefused("the SVG is not UTF-8; save it anew") from error
    # Entities are refused before the parser sees them: a few lines could grow to gigabytes.
    if "<!ENTITY" in text or ("<!DOCTYPE" in text and "[" in text.partition("<!DOCTYPE")[2].partition(">")[0]):
        raise LogoRefused("the SVG declares entities; save it as plain SVG")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without entities there is nothing to expand, and the size is bounded
    except ET.ParseError as error:
        raise LogoRefused(f"the SVG cannot be read: {error}") from error
    if root.tag != f"{{{_SPACE}}}svg":
        raise LogoRefused("the file is XML, but not SVG")
    if sum(1 for _ in root.iter()) > NODES_MAX:
        raise LogoRefused(f"the SVG has more than {NODES_MAX} parts; a simpler one is accepted")
    drawn = _drawing(root)
    if not any(one.tag.rpartition("}")[2] in _DRAWS for one in drawn.iter()):
        raise LogoRefused(
            "nothing in the SVG draws without styles, links or scripts; export it with presentation attributes"
        )
    ET.register_namespace("", _SPACE)
    return bytes(ET.tostring(drawn, encoding="utf-8"))


def _drawing(element: ET.Element) -> ET.Element:
    made = ET.Element(element.tag, {name: value for name, value in element.attrib.items() if _is_plain(name, value)})
    made.text, made.tail = element.text, element.tail
    for child in element:
        space, _, name = str(child.tag).rpartition("}")
        if space == f"{{{_SPACE}" and name in _ELEMENTS:
            made.append(_drawing(child))
    return made


def _is_plain(name: str, value: str) -> bool:
    return name in _ATTRIBUTES and len(value) <= 100_000 and not _ELSEWHERE.search(value)
