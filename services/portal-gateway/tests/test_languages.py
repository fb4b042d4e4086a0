"""Languages: every text has its words in each, numbers and plurals follow them, and everybody gets the one they chose."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from catalogue import extracted, kept
from door import ADA, PRIYA, Door
from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from msp_kit.database import SYSTEM
from portal_gateway.actions import people
from portal_gateway.language import DEFAULT, LANGUAGES, PSEUDO, asked_for, gettext, ngettext, speaking
from portal_gateway.pages import drafts, shown

OTHERS = sorted(set(LANGUAGES) - {DEFAULT})


@pytest.mark.parametrize("language", OTHERS)
def test_the_catalogue_has_words_for_exactly_the_texts_there_are(language: str) -> None:
    found = {(one.context, one.id) for one in extracted() if one.id}
    catalogue = {(one.context, one.id): one for one in kept(language) if one.id}

    assert found - catalogue.keys() == set(), "run services/portal-gateway/tests/catalogue.py and translate"
    assert catalogue.keys() - found == set(), "run services/portal-gateway/tests/catalogue.py"
    for key, message in catalogue.items():
        source = str(message.id[0] if message.pluralizable else message.id)
        given = message.string if isinstance(message.string, list | tuple) else [message.string]
        strings = [str(one or "") for one in given]
        assert all(strings), f"{key} has no words in {language}"
        assert len(strings) == (2 if message.pluralizable else 1), key
        assert [str(error) for error in message.check()] == [], key
        for text in strings:
            assert placeholders(text) == placeholders(source), key
            assert re.findall("<[^>]+>", text) == re.findall("<[^>]+>", source), key


def placeholders(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|%%", text))


# ---- numbers, plurals, days -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en-GB", 0, "0 tickets need"),
        ("en-GB", 1, "1 ticket needs"),
        ("en-GB", 2, "2 tickets need"),
        ("de", 0, "0 Tickets brauchen"),
        ("de", 1, "1 Ticket braucht"),
        ("de", 2, "2 Tickets brauchen"),
    ],
)
def test_plurals_follow_the_language(language: str, count: int, said: str) -> None:
    one = "%(num)s ticket needs your answer. Everything else is with us."
    many = "%(num)s tickets need your answer. Everything else is with us."

    with speaking(language):
        assert (ngettext(one, many, count) % {"num": count}).startswith(said)


def test_numbers_money_and_days_are_written_as_people_of_the_language_write_them() -> None:
    at, now = datetime(2026, 10, 5, 13, 56, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)

    def all_of_it() -> list[str]:
        return [
            shown.hours(74_355),
            shown.hours(-75),
            shown.money(123_450, "EUR"),
            shown.share(98.3),
            shown.percent(550),
            shown.day(date(2026, 10, 5)),
            shown.month(date(2026, 10, 1)),
            shown.when(at, "Europe/Berlin", now),
            shown.clock_time(at, "Europe/Berlin", at),
            shown.ago(datetime(2026, 11, 23, tzinfo=UTC), now),
            shown.size(3_400_000),
        ]

    english = all_of_it()
    with speaking("de"):
        german = all_of_it()

    assert english == [
        *(
            "1,239:15 h",
            "\u22121:15 h",
            "€1,234.50",
            "98.3%",
            "5.5%",
            "5 Oct 2026",
            "October 2026",
            "5 Oct 2026",
            "15:56",
        ),
        *("2 d ago", "3.4 MB"),
    ]
    assert german == [
        *("1.239:15 h", "\u22121:15 h", "1.234,50\xa0€", "98,3\xa0%", "5,5\xa0%", "5. Okt. 2026", "Oktober 2026"),
        *("5. Okt. 2026", "15:56", "vor 2 Tagen", "3,4 MB"),
    ]


@given(
    minor=integers(1, 10**11), language=sampled_from(sorted(LANGUAGES)), currency=sampled_from(["EUR", "JPY", "KWD"])
)
def test_an_amount_a_form_shows_is_read_as_the_same_amount(minor: int, language: str, currency: str) -> None:
    with speaking(language):
        assert shown.minor_units(shown.plain(minor, currency), currency) == minor


def test_amounts_and_quick_times_are_typed_with_the_comma_of_the_language() -> None:
    with speaking("de"):
        assert [shown.minor_units(text, "EUR") for text in ("1.250,5", "1250,50", "0,01")] == [125_050, 125_050, 1]
        assert [shown.minor_units(text, "EUR") for text in ("1,250.5", "12.50", "1.250")] == [125_050, 1250, 125_000]
        assert [shown.minor_units(text, "EUR") for text in ("1,250", "1.2.3", "1.25,5", ".250")] == [None] * 4
        assert [shown.parse_duration(text) for text in ("1,25", "0,5", "1h15", "45m")] == [75, 30, 75, 45]
    assert [shown.minor_units(text, "EUR") for text in ("1,250.5", "1250", "1,25", "1,250", "1.250")] == [
        125_050,
        125_000,
        125,
        125_000,
        None,
    ]


@given(minutes=integers(1, 10**5), language=sampled_from(sorted(LANGUAGES)))
def test_a_budget_a_form_shows_is_read_as_the_same_budget(minutes: int, language: str) -> None:
    with speaking(language):
        assert drafts.budget(drafts.budget_text(minutes)) == minutes


def test_what_separates_thousands_somewhere_never_becomes_a_fraction() -> None:
    for language in LANGUAGES:
        with speaking(language):
            assert [drafts.whole(text, times=60) for text in ("1.250", "1,250")] == ["1.250", "1,250"]
            assert [drafts.whole(text, times=60) for text in ("1.5", "1,5")] == [90, 90]


def test_days_and_weekdays_are_typed_as_people_of_the_language_do() -> None:
    with speaking("de"):
        assert [shown.typed_day(one) for one in ("24.12.2026", "1.5.2026", "2026-12-24", "x")] == [
            *("2026-12-24", "2026-05-01", "2026-12-24", "x")
        ]
        assert shown.typed_day(shown.as_typed("2026-12-24")) == "2026-12-24"
        assert shown.typed_instant("So 10:00") == "Sun 10:00"
        assert shown.typed_instant("2026-11-29T10:00:00+01:00") == "2026-11-29T10:00:00+01:00"
    assert (shown.as_typed("2026-12-24"), shown.typed_day("24.12.2026")) == ("2026-12-24", "24.12.2026")
    assert shown.typed_instant("Sun 10:00") == "Sun 10:00"


# ---- who gets which ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en-US,en;q=0.9", "en-GB"),
        ("fr-FR,fr;q=0.9,de;q=0.4,en;q=0.2", "de"),
        ("de;q=0,en", "en-GB"),
        ("DE", "de"),
        ("en-XA", PSEUDO),
        ("fr", None),
        ("", None),
        (";q=;,,*;q=x" * 200, None),
    ],
)
def test_the_browser_is_listened_to(header: str, language: str | None) -> None:
    assert asked_for(header) == language


async def test_before_sign_in_the_browser_says_the_language_and_then_the_house(door: Door) -> None:
    german = await door.client.get("/login", headers={"accept-language": "de-DE,de;q=0.9"})
    english = await door.client.get("/login", headers={"accept-language": "fr"})

    assert '<html lang="de"' in german.text
    assert "Passwort vergessen" in german.text
    assert '<html lang="en-GB"' in english.text
    assert "Forgotten password" in english.text


async def test_a_person_s_choice_wins_over_the_browser_and_holds_for_mails(door: Door) -> None:
    door.app.state.house = house = door.app.state.house.__class__(
        public_url="http://door", brand="Meridian IT", sealer=door.app.state.house.sealer, has_mail=True
    )
    headers = await door.bearer(PRIYA)
    await door.client.post("/settings/preferences", data={"language": "de", "has_shortcuts": "on"}, headers=headers)

    page = await door.client.get("/portal/tickets", headers={**headers, "accept-language": "en"})
    async with door.database.transaction(SYSTEM) as tx:
        await people.ask_for_reset(tx, email=PRIYA, house=house)
        await people.ask_for_reset(tx, email=ADA, house=house)
        while await people.answer_reset(tx, house=house):
            pass

    assert '<html lang="de"' in page.text
    assert "Noch keine Tickets" in page.text or "Nichts vorhanden" in page.text
    assert await door.sql("SELECT subject FROM mails WHERE recipient = $1", PRIYA) == "Ihr Passwort bei Meridian IT"
    assert await door.sql("SELECT subject FROM mails WHERE recipient = $1", ADA) == "Your password at Meridian IT"


async def test_a_language_nobody_speaks_here_is_the_browser_s_choice(door: Door) -> None:
    headers = await door.bearer(PRIYA)

    await door.client.post("/settings/preferences", data={"language": "xx"}, headers=headers)

    assert await door.sql("SELECT language FROM people WHERE email = $1", PRIYA) is None
    assert not await door.sql("SELECT has_shortcuts FROM people WHERE email = $1", PRIYA)
    page = await door.client.get("/portal/tickets", headers=headers)
    assert 'data-shortcuts="off"' in page.text


async def test_pages_of_the_desk_are_german_throughout(door: Door) -> None:
    page = await door.client.get("/desk/admin/branding", headers={**await door.bearer(ADA), "accept-language": "de"})

    assert '<html lang="de"' in page.text
    assert '<div class="main">' in page.text
    assert "Erscheinungsbild speichern" in page.text


def test_the_pseudo_language_is_longer_and_keeps_what_is_put_in() -> None:
    with speaking(PSEUDO):
        made = gettext("Support by %(brand)s") % {"brand": "Meridian"}

    assert "Meridian" in made
    assert len(made) > len("Support by Meridian") + 4
