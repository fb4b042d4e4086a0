"""How the house looks: what is accepted, where it is shown, and that nothing uploaded can do anything."""

from __future__ import annotations

import base64
import struct
import zlib

import httpx2 as httpx
import pytest
from door import ADA, PAUL, PRIYA, Door
from hypothesis import given
from hypothesis.strategies import from_regex, integers

from portal_gateway import colours, logos
from portal_gateway.colours import DARK, LIGHT, NotAColour, UnreadableColour
from portal_gateway.logos import LogoRefused

PAGE = "/desk/admin/branding"
SPACE = 'xmlns="http://www.w3.org/2000/svg"'
SVG = f'<svg {SPACE} viewBox="0 0 8 8"><path d="M0 0h8v8z" fill="#0b6074"/></svg>'.encode()
a_colour = from_regex(r"#[0-9a-f]{6}", fullmatch=True)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def a_png(width: int = 2, height: int = 2, *more: bytes) -> bytes:
    rows = zlib.compress(b"".join(b"\0" + b"\0\0\0" * 2 for _ in range(2)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + b"".join(more) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def change(door: Door, who: str = ADA, logo: bytes | None = None, **form: str) -> httpx.Response:
    shown = await door.client.get(PAGE, headers=await door.bearer(ADA))
    revision = shown.text.partition('name="revision" value="')[2].partition('"')[0]
    files = {"logo": ("logo", b"" if logo is None else logo, "image/png")} if logo is not None else {"x": ("", b"")}
    fields = {"name": "Meridian IT", "language": "en-GB", "revision": revision, **form}
    return await door.client.post(PAGE, data=fields, files=files, headers=await door.bearer(who))


# ---- colours --------------------------------------------------------------------------------------------------------


@given(colour=a_colour)
def test_the_nearest_colour_can_be_read_and_one_that_can_is_its_own_nearest(colour: str) -> None:
    for theme in (LIGHT, DARK):
        found = colours.nearest(colour, theme)

        assert colours.least(found, theme) >= 4.5
        assert colours.nearest(found, theme) == found


@given(one=a_colour, other=a_colour)
def test_contrast_is_symmetric_and_between_1_and_21(one: str, other: str) -> None:
    assert colours.contrast(one, other) == colours.contrast(other, one)
    assert 1 <= colours.contrast(one, other) <= 21.0001


@given(colour=a_colour)
def test_what_a_refusal_names_is_accepted(colour: str) -> None:
    try:
        made = colours.accent(colour, "")
    except UnreadableColour as error:
        made = colours.accent(str(error).rpartition(": ")[2].split()[0], "")

    assert min(colours.least(made.light, LIGHT), colours.least(made.dark, DARK)) >= 4.5


def test_known_ratios_and_ways_to_write_a_colour() -> None:
    assert colours.contrast("#000000", "#ffffff") == 21
    assert int(100 * colours.contrast("#767676", "#ffffff")) == 454
    assert [colours.parsed(text) for text in ("#ABC", " 0b6074 ")] == ["#aabbcc", "#0b6074"]
    for text in ("red", "#12", "#0b607g", "#0b6074;}", ""):
        with pytest.raises(NotAColour, match="six hexadecimal digits"):
            colours.parsed(text)


# ---- logos ----------------------------------------------------------------------------------------------------------


def test_a_png_keeps_what_draws_and_loses_texts_and_what_follows_its_end() -> None:
    told = chunk(b"tEXt", b"Comment\0secret")

    kept = logos.checked(a_png(2, 2, told) + b"<script>alert(1)</script>")

    assert kept.media_type == "image/png"
    assert kept.content == a_png()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GIF89a", "neither PNG nor SVG"),
        (b"x" * 200_001, "up to 200 kB are accepted"),
        (a_png()[:-8], "damaged|incomplete"),
        (a_png(3000, 10), "up to 2000 on each side"),
        (a_png().replace(b"IDAT", b"IDAX"), "damaged"),
        (b"<html><svg></svg></html>", "XML, but not SVG"),
        (b"<svg", "cannot be read"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', "entities"),
        (f"<svg {SPACE}><script>alert(1)</script></svg>".encode(), "nothing in the SVG draws"),
        (f"<svg {SPACE}>{'<g/>' * 2001}</svg>".encode(), "more than 2000 parts"),
        ("<svg".encode("utf-16") + b"<svg", "UTF-8"),
    ],
)
def test_what_is_no_logo_is_refused_with_what_would_be(content: bytes, said: str) -> None:
    with pytest.raises(LogoRefused, match=said):
        logos.checked(content)


def test_an_svg_loses_everything_that_could_do_something() -> None:
    evil = f"""<svg {SPACE} xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert(1)" viewBox="0 0 8 8">
      <script>alert(1)</script><style>@import 'https://x.example'</style><a href="javascript:alert(1)"><path d="M1 1"/></a>
      <foreignObject><body xmlns="http://www.w3.org/1999/xhtml">x</body></foreignObject><image href="https://x.example/a"/>
      <use xlink:href="https://x.example/a#b"/><animate attributeName="x" values="1"/>
      <rect width="4" height="4" fill="url(https://x.example)" onclick="alert(1)" style="fill:red"/>
      <linearGradient id="g"><stop offset="0" stop-color="#fff"/></linearGradient><path d="M0 0h8" fill="url(#g)"/></svg>"""

    kept = logos.checked(evil.encode()).content.decode()

    for word in (
        "script",
        "alert",
        "style",
        "href",
        "foreign",
        "image",
        "use",
        "animate",
        "onload",
        "onclick",
        "example",
    ):
        assert word not in kept, word
    assert 'fill="url(#g)"' in kept
    assert 'd="M0 0h8"' in kept


@given(at=integers(0, 200), bit=integers(0, 7))
def test_a_damaged_file_is_refused_or_harmless_and_never_an_error(at: int, bit: int) -> None:
    for content in (a_png(), SVG):
        damaged = bytearray(content)
        damaged[at % len(damaged)] ^= 1 << bit
        try:
            kept = logos.checked(bytes(damaged))
        except LogoRefused:
            continue
        assert logos.checked(kept.content) == kept


# ---- the page -------------------------------------------------------------------------------------------------------


async def test_a_name_a_logo_and_an_accent_are_seen_everywhere_and_audited(door: Door) -> None:
    answer = await change(door, logo=SVG, name="Nordlicht IT", accent_light="#7a1f5c")

    login = await door.client.get("/login")
    portal = await door.client.get("/portal", headers=await door.bearer(PRIYA))
    desk = await door.client.get(PAGE, headers=await door.bearer(ADA))
    assert answer.status_code == 303
    for page in (login, portal, desk):
        assert "Nordlicht IT" in page.text
        assert "/brand/accent.css?v=" in page.text
        assert '<img class="logo" src="/brand/logo?v=' in page.text
        assert "style=" not in page.text
    detail = await door.sql("SELECT detail FROM audit WHERE action = 'branding-changed'")
    assert (detail["before"]["name"], detail["after"]["name"]) == ("Meridian IT", "Nordlicht IT")
    assert detail["after"]["accent"] == ["#7a1f5c", colours.nearest("#7a1f5c", DARK)]


async def test_the_files_of_the_brand_are_kept_for_ever_under_their_hash_and_do_nothing(door: Door) -> None:
    await change(door, logo=SVG, accent_light="#7a1f5c")
    login = (await door.client.get("/login")).text
    logo_at = login.partition('<img class="logo" src="')[2].partition('"')[0]
    style_at = login.partition('href="/brand/accent.css')[2].partition('"')[0]

    logo = await door.client.get(logo_at)
    style = await door.client.get(f"/brand/accent.css{style_at}")
    guessed = await door.client.get("/brand/accent.css?v=000000000000")

    assert logo.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in logo.headers["content-security-policy"]
    assert logo.headers["content-disposition"] == 'attachment; filename="logo.svg"'
    assert logo.headers["x-content-type-options"] == style.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in logo.headers["cache-control"]
    assert "immutable" in style.headers["cache-control"]
    assert "immutable" not in guessed.headers["cache-control"]
    assert "--accent: light-dark(#7a1f5c, " in style.text


async def test_a_colour_nobody_can_read_is_refused_with_one_that_would_do_and_what_was_typed_stays(door: Door) -> None:
    answer = await change(door, name="Sun & Sons", accent_light="#ffd400")

    assert answer.status_code == 422
    assert "4.5 is needed" in answer.text
    assert f"{colours.nearest('#ffd400', LIGHT)} would be accepted" in answer.text
    assert 'value="#ffd400"' in answer.text
    assert 'value="Sun &amp; Sons"' in answer.text
    assert await door.sql("SELECT count(*) FROM branding") == 0


async def test_two_people_who_change_it_at_once_are_told(door: Door) -> None:
    await change(door, name="First")

    answer = await change(door, name="Second", revision="0")

    assert answer.status_code == 422
    assert "somebody else changed it meanwhile" in answer.text
    assert await door.sql("SELECT name FROM branding") == "First"


async def test_only_administrators_of_the_staff_change_it(door: Door) -> None:
    await door.add_person("tom@meridian.example", kind="staff", client_id=None, roles=("agent", "manager"))

    refused = [(await change(door, who)).status_code for who in ("tom@meridian.example", PAUL)]

    assert refused == [403, 403]
    assert await door.sql("SELECT count(*) FROM branding") == 0


async def test_the_logo_stays_until_it_is_replaced_or_removed(door: Door) -> None:
    await change(door, logo=a_png())
    await change(door, name="Renamed")
    kept = await door.sql("SELECT logo_type FROM branding")
    await change(door, remove_logo="1")

    assert kept == "image/png"
    assert await door.sql("SELECT logo_type FROM branding") is None
    assert (await door.client.get("/brand/logo")).status_code == 404


# ---- for programs ---------------------------------------------------------------------------------------------------


async def test_a_program_changes_how_the_house_looks(door: Door) -> None:
    logo = base64.b64encode(a_png()).decode()
    body = {"name": "Meridian IT", "language": "de", "accent_light": "#0b6074", "logo": logo}

    before = await door.send(PRIYA, "GET", "/branding")
    made = await door.send(ADA, "PUT", "/branding", body)
    kept = await door.send(ADA, "PUT", "/branding", {"name": "Renamed", "language": "de"})
    removed = await door.send(ADA, "PUT", "/branding", {"name": "Renamed", "language": "de", "keeps_logo": False})
    after = await door.send(PRIYA, "GET", "/branding")

    assert (before.status_code, before.json()["revision"], before.headers["etag"]) == (200, 0, '"0"')
    assert (made.json()["language"], made.json()["accent_light"], made.json()["revision"]) == ("de", "#0b6074", 1)
    assert (kept.json()["logo_address"], kept.json()["accent_light"]) == (made.json()["logo_address"], None)
    assert removed.json()["logo_address"] is None
    assert after.json() == removed.json()
    assert made.json()["logo_address"].startswith("/brand/logo?v=")


async def test_a_program_that_read_an_older_look_is_told(door: Door) -> None:
    ada = await door.bearer(ADA)
    body = {"name": "First", "language": "en-GB"}

    first = await door.send({**ada, "if-match": '"0"'}, "PUT", "/branding", body)
    second = await door.send({**ada, "if-match": '"0"'}, "PUT", "/branding", {**body, "name": "Second"})

    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 409, "brand-changed")
    assert await door.sql("SELECT name FROM branding") == "First"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "name-missing"),
        ({"language": "fr"}, "invalid-request"),
        ({"accent_light": "blue"}, "not-a-colour"),
        ({"accent_light": "#ffff00"}, "unreadable-colour"),
        ({"logo": base64.b64encode(b"GIF89a").decode()}, "logo-refused"),
    ],
)
async def test_a_look_nobody_can_read_is_refused_to_programs_too(
    door: Door, changes: dict[str, str], code: str
) -> None:
    answer = await door.send(ADA, "PUT", "/branding", {"name": "Meridian IT", "language": "en-GB", **changes})

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await door.sql("SELECT count(*) FROM branding") == 0


async def test_programs_of_others_do_not_change_the_look(door: Door) -> None:
    refused = await door.send(PAUL, "PUT", "/branding", {"name": "Ours now", "language": "en-GB"})

    assert refused.status_code == 403
