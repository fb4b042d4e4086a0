"""The words of documents, in the languages they are written in; numbers and dates follow the same language."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import get_group_symbol

from msp_kernel.durations import hours_and_minutes
from msp_kernel.money import exponent

_LOCALES = {"en": "en_GB", "de": "de_DE", "fr": "fr_FR", "nl": "nl_NL"}

_EN = {
    "invoice": "Invoice", "credit_note": "Credit note", "draft": "Draft, not issued", "draft_invoice": "Draft invoice",
    "draft_mark": "DRAFT", "billed_to": "BILLED TO", "vat": "VAT", "registration": "Registration",
    "service_period": "Service period", "to": "to", "issued": "Issued", "due": "Due", "your_order": "Your order",
    "your_reference": "Your reference", "corrects": "Corrects", "of": "of", "description": "Description",
    "quantity": "Quantity", "rate": "Rate", "net": "Net", "subtotal": "Subtotal", "amount_due": "Amount due",
    "credited": "Credited", "on": "on",
    "covered": "All work of this period was covered by the bucket or is not billable.",
    "nothing_due": "Nothing is due for this period.",
    "terms": "Please pay within {days} days, by {due}, quoting {number}.",
    "terms_draft": "Payable within {days} days.", "terms_credit": "This amount is set off, or paid back to you.",
    "bank": "Bank account", "statement": "Statement of the bucket", "contract": "Contract", "opening": "Opening",
    "added": "Added", "used": "Used", "expired": "Expired", "closing": "Closing",
    "behind": "Time behind this invoice",
    "behind_note": "{n} entries, {worked} worked. Bucket and billed extra are billed time after the rounding of the contract.",
    "worked": "Worked", "who": "Who", "what": "What", "type": "Type", "bucket": "Bucket", "extra": "Billed extra",
    "late": "late entry", "project": "project", "page": "Page", "reason": "Reason", "no_contract": "Other",
    "fingerprint": "Fingerprint of the content (SHA-256, chained)", "S": "VAT", "Z": "VAT, zero rated", "E": "VAT exempt",
    "AE": "Reverse charge", "O": "Outside the scope of VAT",
}  # fmt: skip
_DE = {
    "invoice": "Rechnung", "credit_note": "Gutschrift (Rechnungskorrektur)", "draft": "Entwurf, nicht ausgestellt",
    "draft_invoice": "Rechnungsentwurf", "draft_mark": "ENTWURF", "billed_to": "RECHNUNG AN", "vat": "USt-IdNr.",
    "registration": "Registernummer", "service_period": "Leistungszeitraum", "to": "bis", "issued": "Ausgestellt",
    "due": "Fällig", "your_order": "Ihre Bestellung", "your_reference": "Ihre Referenz", "corrects": "Korrigiert",
    "of": "vom", "description": "Beschreibung", "quantity": "Menge", "rate": "Satz", "net": "Netto",
    "subtotal": "Zwischensumme", "amount_due": "Zahlbetrag", "credited": "Gutgeschrieben", "on": "auf",
    "covered": "Alle Arbeit dieses Zeitraums war im Kontingent enthalten oder ist nicht berechenbar.",
    "nothing_due": "Für diesen Zeitraum ist nichts zu zahlen.",
    "terms": "Bitte zahlen Sie innerhalb von {days} Tagen, bis zum {due}, unter Angabe von {number}.",
    "terms_draft": "Zahlbar innerhalb von {days} Tagen.",
    "terms_credit": "Der Betrag wird verrechnet oder Ihnen zurückgezahlt.",
    "bank": "Bankverbindung", "statement": "Kontingentübersicht", "contract": "Vertrag", "opening": "Anfang",
    "added": "Zugang", "used": "Verbraucht", "expired": "Verfallen", "closing": "Ende",
    "behind": "Zeiten zu dieser Rechnung",
    "behind_note": "{n} Einträge, {worked} gearbeitet. Kontingent und Mehrarbeit sind berechnete Zeit nach der Rundung des Vertrags.",
    "worked": "Gearbeitet", "who": "Wer", "what": "Was", "type": "Art", "bucket": "Kontingent", "extra": "Mehrarbeit",
    "late": "Nachtrag", "project": "Projekt", "page": "Seite", "reason": "Grund", "no_contract": "Sonstiges",
    "fingerprint": "Fingerabdruck des Inhalts (SHA-256, verkettet)", "S": "USt", "Z": "USt, Nullsatz", "E": "USt-befreit",
    "AE": "Steuerschuldnerschaft des Leistungsempfängers", "O": "Nicht steuerbar",
}  # fmt: skip
_FR = {
    "invoice": "Facture", "credit_note": "Avoir", "draft": "Brouillon, non émis", "draft_invoice": "Brouillon de facture",
    "draft_mark": "BROUILLON", "billed_to": "FACTURÉ À", "vat": "N° TVA", "registration": "Immatriculation",
    "service_period": "Période", "to": "au", "issued": "Émise le", "due": "Échéance", "your_order": "Votre commande",
    "your_reference": "Votre référence", "corrects": "Corrige", "of": "du", "description": "Description",
    "quantity": "Quantité", "rate": "Tarif", "net": "HT", "subtotal": "Sous-total", "amount_due": "À payer",
    "credited": "Crédité", "on": "sur",
    "covered": "Tout le travail de la période est couvert par le forfait ou non facturable.",
    "nothing_due": "Rien à payer pour cette période.",
    "terms": "À payer sous {days} jours, au plus tard le {due}, en rappelant {number}.",
    "terms_draft": "Payable sous {days} jours.", "terms_credit": "Ce montant est compensé ou vous est remboursé.",
    "bank": "Compte bancaire", "statement": "Relevé du forfait", "contract": "Contrat", "opening": "Début",
    "added": "Ajouté", "used": "Utilisé", "expired": "Expiré", "closing": "Fin", "behind": "Temps de cette facture",
    "behind_note": "{n} saisies, {worked} travaillées. Forfait et supplément sont des temps facturés après arrondi du contrat.",
    "worked": "Travaillé", "who": "Qui", "what": "Quoi", "type": "Type", "bucket": "Forfait", "extra": "Supplément",
    "late": "saisie tardive", "project": "projet", "page": "Page", "reason": "Motif", "no_contract": "Autres",
    "fingerprint": "Empreinte du contenu (SHA-256, chaînée)", "S": "TVA", "Z": "TVA, taux zéro", "E": "Exonéré de TVA",
    "AE": "Autoliquidation", "O": "Hors champ de TVA",
}  # fmt: skip
_NL = {
    "invoice": "Factuur", "credit_note": "Creditnota", "draft": "Concept, niet verstuurd", "draft_invoice": "Conceptfactuur",
    "draft_mark": "CONCEPT", "billed_to": "FACTUUR AAN", "vat": "Btw-nr.", "registration": "Registratie",
    "service_period": "Periode", "to": "t/m", "issued": "Factuurdatum", "due": "Vervaldatum", "your_order": "Uw bestelling",
    "your_reference": "Uw referentie", "corrects": "Corrigeert", "of": "van", "description": "Omschrijving",
    "quantity": "Aantal", "rate": "Tarief", "net": "Netto", "subtotal": "Subtotaal", "amount_due": "Te betalen",
    "credited": "Gecrediteerd", "on": "over",
    "covered": "Al het werk van deze periode viel binnen de bundel of is niet declarabel.",
    "nothing_due": "Voor deze periode is niets te betalen.",
    "terms": "Graag betalen binnen {days} dagen, uiterlijk {due}, onder vermelding van {number}.",
    "terms_draft": "Te betalen binnen {days} dagen.", "terms_credit": "Dit bedrag wordt verrekend of terugbetaald.",
    "bank": "Bankrekening", "statement": "Overzicht van de bundel", "contract": "Contract", "opening": "Begin",
    "added": "Erbij", "used": "Gebruikt", "expired": "Vervallen", "closing": "Eind", "behind": "Uren achter deze factuur",
    "behind_note": "{n} regels, {worked} gewerkt. Bundel en meerwerk zijn gefactureerde tijd na afronding volgens contract.",
    "worked": "Gewerkt", "who": "Wie", "what": "Wat", "type": "Soort", "bucket": "Bundel", "extra": "Meerwerk",
    "late": "late boeking", "project": "project", "page": "Pagina", "reason": "Reden", "no_contract": "Overig",
    "fingerprint": "Vingerafdruk van de inhoud (SHA-256, geketend)", "S": "btw", "Z": "btw, nultarief", "E": "vrijgesteld van btw",
    "AE": "Btw verlegd", "O": "Buiten de btw",
}  # fmt: skip
_WORDS = {"en": _EN, "de": _DE, "fr": _FR, "nl": _NL}


def _with_decimals(pattern: Any, digits: int) -> Any:
    """Return a pattern of numbers with a fixed count of decimals."""
    made = copy.copy(pattern)
    made.frac_prec = (digits, digits)
    return made


@dataclass(frozen=True, slots=True)
class Writing:
    """A language to write a document in. One without words of ours is written in English, with its own numbers and dates."""

    language: str
    locale: Locale
    words: dict[str, str]

    @classmethod
    def of(cls, language: str) -> Writing:
        """Return the writing of a language tag (``de``, ``de-AT``)."""
        short = language[:2].lower()
        try:
            locale = Locale.parse(_LOCALES.get(language, language), sep="-" if "-" in language else "_")
        except (UnknownLocaleError, ValueError):
            locale = Locale.parse(_LOCALES["en"])
        words = _WORDS.get(short)
        return cls(short if words else "en", locale, words or _EN)

    def money(self, minor: int, currency: str) -> str:
        """Return an amount with its currency, with as many decimals as ISO 4217 gives it."""
        digits = exponent(currency)
        pattern = _with_decimals(self.locale.currency_formats["standard"], digits)
        text = pattern.apply(Decimal(abs(minor)).scaleb(-digits), self.locale, currency=currency, currency_digits=False)
        return f"\N{MINUS SIGN}{text}" if minor < 0 else str(text)

    def number(self, value: Decimal, digits: int) -> str:
        """Return a number with a fixed count of decimals."""
        text: str = _with_decimals(self.locale.decimal_formats[None], digits).apply(abs(value), self.locale)
        return f"\N{MINUS SIGN}{text}" if value < 0 else text

    def hours(self, minutes: int) -> str:
        """Return minutes as ``1:20 h``: what stands beside a rate multiplies to the net beside it."""
        return f"{hours_and_minutes(minutes, group=get_group_symbol(self.locale))} h"

    def percent(self, basis_points: int) -> str:
        """Return a rate."""
        digits = 0 if basis_points % 100 == 0 else 2
        return f"{self.number(Decimal(basis_points).scaleb(-2), digits)} %"

    def day(self, text: str) -> str:
        """Return a day (ISO) in words."""
        return str(format_date(date.fromisoformat(text[:10]), format="long", locale=self.locale))

    def say(self, key: str, **values: Any) -> str:
        """Return words of a document."""
        return self.words[key].format(**values) if values else self.words[key]
