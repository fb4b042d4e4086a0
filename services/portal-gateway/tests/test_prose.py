"""What services say in sentences is said in German, too: every refusal in their sources has its words, and its parts are kept."""

from __future__ import annotations

import re

import pytest
from door import ADA, Door
from hypothesis import given
from hypothesis.strategies import sampled_from, text
from prose import kept, said

from portal_gateway.language import DEFAULT, LANGUAGES, asked_for, speaking
from portal_gateway.prose import Pattern, refusal, say, sentences, spoken
from portal_gateway.services import Refused, ServiceAway

OTHERS = sorted(set(LANGUAGES) - {DEFAULT})
GAP = re.compile(r"%\(\w+\)s")
SENTENCES = sorted(said())


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_the_services_has_its_words(language: str) -> None:
    catalogue = {str(one.id): str(one.string) for one in kept(language) if one.id}

    assert set(SENTENCES) - catalogue.keys() == set(), "run services/portal-gateway/tests/prose.py and translate"
    assert catalogue.keys() - set(SENTENCES) == set(), "run services/portal-gateway/tests/prose.py"
    assert [source for source, words in catalogue.items() if not words] == []
    for source, words in catalogue.items():
        assert sorted(set(GAP.findall(words))) == sorted(set(GAP.findall(source))), source
        assert words.count("%%") == source.count("%%"), source


@given(sentence=sampled_from(SENTENCES), part=text("ABCXYZ0123", min_size=4, max_size=8))
def test_whatever_stands_in_its_gaps_a_sentence_is_known(sentence: str, part: str) -> None:
    filled = GAP.sub(part, sentence).replace("%%", "%")

    with speaking("de"):
        assert (part in refusal(filled)) == (part in filled)
    assert refusal(filled) == filled


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("HLO-7 is closed", "HLO-7 ist geschlossen"),
        ("C-0001 is draft", "C-0001 ist Entwurf"),
        ("String should have at most 200 characters", "Der Text darf höchstens 200 Zeichen haben"),
        (
            "Value error, a lot expires after the day it is valid from",
            "ein Paket verfällt nach dem Tag, ab dem es gilt",
        ),
        ("the period up to 2026-10-31 is closed", "der Zeitraum bis 31. Okt. 2026 ist geschlossen"),
        (
            "a ticket that is resolved can become open, closed, not new",
            "ein Ticket im Status Gelöst kann In Arbeit, Geschlossen werden, nicht Neu",
        ),
        (
            "Due on Mon 05 Oct 2026 14:00, 1 h of 4 h used.",
            "Fällig am Mo., 5. Okt. 2026, 14:00, 1 h von 4 h verbraucht.",
        ),
        (
            (
                "Resolution within 4 h counting weekends too: rule r1 of contract version 1, the only one that matches; it asks for"
                " priority critical."
            ),
            (
                "Lösung innerhalb von 4 h, Wochenenden gezählt: Regel r1 der Vertragsversion 1, die einzige passende; sie fragt"
                " nach Priorität Kritisch."
            ),
        ),
        ("status: new to open; assignee: nobody to Nina", "Status: Neu zu In Arbeit; Zuständig: niemand zu Nina"),
        ("lowest expected load, 20 %, of the queue", "geringste erwartete Last, 20 %, aus der Warteschlange"),
        ("nobody ever said this before", "nobody ever said this before"),
    ],
)
def test_a_sentence_of_a_service_in_german(english: str, german: str) -> None:
    with speaking("de"):
        assert refusal(english) == german
    assert refusal(english) == english


def lazily(source: str, given: str) -> dict[str, str] | None:
    """Match as a regular expression whose gaps are as short as they can be."""
    shape = "".join(
        f"(?P<{part}>.*?)" if n % 2 else re.escape(part) for n, part in enumerate(re.split(r"%\((\w)\)s", source))
    )
    found = re.fullmatch(shape, given, re.DOTALL)
    return found and found.groupdict()


@given(first=text("ab ", max_size=3), between=text("ab ", max_size=3), part=text("ab \n", max_size=9))
def test_a_gap_is_as_short_as_it_can_be(first: str, between: str, part: str) -> None:
    source = f"{first}%(x)s{between}%(y)s, and so on"

    for given_text in (f"{part}, and so on", f"{first}{part}{between}{part}, and so on"):
        assert Pattern.of(source, "").match(given_text) == lazily(source, given_text)


def test_a_text_made_to_fit_nearly_takes_one_pass() -> None:
    # A regular expression would try every way to share each of these among the gaps, for minutes.
    for source, words in sentences("de"):
        first, *others = re.split(r"%\(\w+\)s", source)
        if others and others[-1]:
            nearly = f"{first}x{(''.join(others[:-1]) or 'a') * 400}"[:999] + "\0"
            assert Pattern.of(source, words).match(nearly) is None


def test_what_people_wrote_stays_as_they_wrote_it() -> None:
    with speaking("de"):
        for words in ("back to me", "it is urgent", "from Monday to Friday", "A: b; c", "x" * 5000):
            assert say(words) == words


def test_a_problem_document_keeps_what_programs_read() -> None:
    document = {
        "type": "/problems/invalid-request",
        "code": "invalid-request",
        "title": "The request is not valid",
        "status": 422,
        "detail": "/body/title: Field required",
        "errors": [{"pointer": "/body/title", "detail": "Field required", "code": "missing"}],
        "request_id": "1",
    }

    with speaking("de"):
        made = spoken(document)

    assert made["errors"] == [{"pointer": "/body/title", "detail": "Dieses Feld fehlt", "code": "missing"}]
    assert made["detail"] == "/body/title: Dieses Feld fehlt"
    assert {name: made[name] for name in ("type", "code", "status", "request_id")} == {
        name: document[name] for name in ("type", "code", "status", "request_id")
    }


def test_a_refusal_says_why_in_the_language_of_the_page() -> None:
    refused, away = Refused(409, {"detail": "HLO-7 is closed"}), ServiceAway("billing")

    with speaking("de"):
        assert str(refused) == "HLO-7 ist geschlossen"
        assert str(away) == "der Dienst billing hat nicht geantwortet; soweit bekannt, hat sich nichts geändert"
    assert str(refused) == "HLO-7 is closed"


async def test_programs_read_english_unless_they_ask_for_another_language(door: Door) -> None:
    headers = await door.bearer(ADA)
    path = "/api/v1/people"
    wrong = {"email": "x"}

    english = await door.client.post(path, json=wrong, headers=headers)
    german = await door.client.post(path, json=wrong, headers={**headers, "accept-language": "de-AT,de;q=0.9"})
    nothing = await door.client.get("/api/v1/tickets//x", headers={**headers, "accept-language": "de"})

    assert asked_for("de-AT,de;q=0.9") == "de"
    assert "content-language" not in english.headers
    assert "Field required" in english.text
    assert german.headers["content-language"] == "de"
    assert int(german.headers["content-length"]) == len(german.content)
    assert "Dieses Feld fehlt" in german.text
    assert (german.status_code, german.json()["code"]) == (english.status_code, english.json()["code"])
    assert nothing.json()["title"] == "Nicht gefunden"
