"""The words of lines, in the languages invoices are written in. The words of documents are theirs."""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("en", "de", "fr", "nl")


@dataclass(frozen=True, slots=True)
class Words:
    """What lines say in one language."""

    overage: str
    support: str
    project: str
    conditions: dict[str, str]
    discount: str
    minimum: str
    credit: str

    def work(self, *, kind: str, section: str, job_type: str, level: str, condition: str, ref: str) -> str:
        """Return the text of a line of work."""
        what = self.overage if kind == "overage" else self.support
        what = f"{what} ({self.project})" if section == "project" else what
        extra = self.conditions.get(condition, "")
        return f"{what}: {job_type}, {level}{', ' if extra else ''}{extra} ({ref})"


_ALL = {
    "en": Words(
        overage="Work beyond the bucket",
        support="Work",
        project="projects",
        conditions={"after_hours": "after hours", "weekend": "weekend", "holiday": "holiday"},
        discount="Discount",
        minimum="Up to the agreed minimum",
        credit="Credit",
    ),
    "de": Words(
        overage="Arbeit über das Kontingent hinaus",
        support="Arbeit",
        project="Projekte",
        conditions={"after_hours": "außerhalb der Geschäftszeit", "weekend": "Wochenende", "holiday": "Feiertag"},
        discount="Nachlass",
        minimum="Bis zum vereinbarten Mindestbetrag",
        credit="Gutschrift",
    ),
    "fr": Words(
        overage="Travail au-delà du forfait",
        support="Travail",
        project="projets",
        conditions={"after_hours": "hors horaires", "weekend": "week-end", "holiday": "jour férié"},
        discount="Remise",
        minimum="Jusqu'au minimum convenu",
        credit="Avoir",
    ),
    "nl": Words(
        overage="Werk boven de bundel",
        support="Werk",
        project="projecten",
        conditions={"after_hours": "buiten kantooruren", "weekend": "weekend", "holiday": "feestdag"},
        discount="Korting",
        minimum="Tot het afgesproken minimum",
        credit="Tegoed",
    ),
}


def words(language: str) -> Words:
    """Return the words of a language; English for one we do not write."""
    return _ALL.get(language[:2].lower(), _ALL["en"])
