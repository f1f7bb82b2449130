"""The export files of the demo, in the columns that real services give."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from io import StringIO
from random import Random

from sync.demo.people import Somebody, plain
from sync.demo.seasons import Booking

BOX_OFFICE = [
    "Numero billet",
    "Reservation",
    "Date reservation",
    "Heure reservation",
    "Cle spectacle",
    "Spectacle",
    "Cle representation",
    "Representation",
    "Date representation",
    "Heure representation",
    "Date fin representation",
    "Heure fin representation",
    "Prix",
    "Type de produit",
    "Filiere de vente",
    "Nom",
    "Prenom",
    "Email",
    "Adresse",
    "Code postal",
    "Pays",
    "Age",
    "Sexe",
]
TICKETING = [
    "Référence commande",
    "Date de la commande",
    "Statut de la commande",
    "Nom participant",
    "Prénom participant",
    "Nom payeur",
    "Prénom payeur",
    "Email payeur",
    "Raison sociale",
    "Moyen de paiement",
    "Billet",
    "Numéro de billet",
    "Tarif",
    "Montant tarif",
    "Code Promo",
    "Montant code promo",
    "Téléphone",
    "Droit à l'image",
    "J'accepte de recevoir l'infolettre",
]
DONATIONS = [
    "Référence commande",
    "Date de la commande",
    "Statut de la commande",
    "Nom donateur",
    "Prénom donateur",
    "Nom payeur",
    "Prénom payeur",
    "Email payeur",
    "Raison sociale",
    "Moyen de paiement",
    "Type",
    "Montant du don",
    "Attestation",
    "Adresse payeur",
    "Code postal payeur",
    "Ville payeur",
    "Pays payeur",
]
AUDIENCE = [
    "Email Address",
    "First Name",
    "Last Name",
    "MEMBER_RATING",
    "OPTIN_TIME",
    "OPTIN_IP",
    "CONFIRM_TIME",
    "CONFIRM_IP",
    "LATITUDE",
    "LONGITUDE",
    "GMTOFF",
    "DSTOFF",
    "TIMEZONE",
    "CC",
    "REGION",
    "LAST_CHANGED",
    "LEID",
    "EUID",
    "NOTES",
    "TAGS",
]
MORE = {
    "subscribed": [],
    "unsubscribed": ["UNSUB_TIME", "UNSUB_CAMPAIGN_TITLE", "UNSUB_CAMPAIGN_ID", "UNSUB_REASON", "UNSUB_REASON_OTHER"],
    "cleaned": ["CLEAN_TIME", "CLEAN_CAMPAIGN_TITLE", "CLEAN_CAMPAIGN_ID"],
}


def table(header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str, separator: str = ";") -> bytes:
    text = StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows([header, *rows])
    return text.getvalue().encode(encoding)


def box_office(dice: Random, bookings: Iterable[Booking], first_ticket: int) -> bytes:
    """One line a seat, Windows-1252; no status, no check-ins."""
    return table(BOX_OFFICE, _seats(dice, bookings, first_ticket), "cp1252")


def _seats(dice: Random, bookings: Iterable[Booking], number: int) -> Iterator[list[str]]:
    for booking in bookings:
        buyer = _at_the_desk(dice, booking)
        at, who = booking.at, booking.who
        for show in booking.shows:
            for _ in range(booking.seats):
                number += 1
                yield [
                    str(number),
                    str(booking.number),
                    f"{at:%d/%m/%y} 00:00",
                    f"{at:%H:%M:%S}",
                    str(show.title_key),
                    show.title,
                    str(show.key),
                    show.title,
                    f"{show.starts:%d/%m/%y}",
                    f"{show.starts:%H:%M:%S}",
                    f"{show.ends:%d/%m/%y}",
                    f"{show.ends:%H:%M:%S}",
                    str(booking.price),
                    booking.product,
                    booking.channel,
                    *buyer,
                    who.street,
                    who.postcode,
                    "France",
                    str(at.year - who.birth_year) if who.birth_year and who.number % 3 == 0 else "",
                    ("F" if who.woman else "M") if who.number % 3 == 0 else "",
                ]


def _at_the_desk(dice: Random, booking: Booking) -> tuple[str, str, str]:
    """Name, first name and e-mail as somebody typed them that day."""
    who = booking.who
    if booking.channel == "GUICHET" and dice.random() < 0.004:
        return "", "", ""
    first = who.partner if who.partner and dice.random() < 0.4 else who.first
    last, email = who.last, who.email
    if who.other_email and dice.random() < 0.35:
        email = who.other_email
    if who.organisation:
        return who.organisation.upper(), "", email
    how = dice.random()
    if how < 0.35:
        last = last.upper()
    elif how < 0.45:
        first, last = plain(first), plain(last)
    elif how < 0.5:
        first, last, email = first.upper(), last.upper(), email.upper()
    if email and dice.random() < 0.006:
        email = email.replace("@", " @") if dice.random() < 0.5 else email.replace("e", "é", 1)
    return last, first, email


def ticketing(dice: Random, people: Sequence[Somebody], day: date, before: int, reference: int) -> bytes:
    """A young audience's weekend at HelloAsso, booked at the latest so many days `before`: parents who pay, children who
    come. UTF-8 with a byte-order mark.
    """
    return table(TICKETING, _families(dice, people, day, before, reference), "utf-8-sig")


def _families(dice: Random, people: Sequence[Somebody], day: date, before: int, reference: int) -> Iterator[list[str]]:
    ticket = reference * 2
    for place, who in enumerate(people):
        at = datetime.combine(
            day - timedelta(days=dice.randrange(before, 40)), time(dice.randrange(7, 23), dice.randrange(60))
        )
        status = "Validé" if place % 11 != 10 else dice.choice(("Annulé", "Remboursé"))
        agreed = "Oui" if dice.random() < 0.5 else "Non"
        for child in range(dice.choice((1, 1, 2, 2, 3))):
            ticket += 1
            rate, price = ("Enfant", "6,00") if child else ("Adulte", "9,50")
            first = dice.choice(("Lou", "Nino", "Alma", "Tom", "Jade", "Noé")) if child else who.first
            yield [
                str(reference + place), f"{at:%d/%m/%Y %H:%M}", status, who.last, first, who.last, who.first, who.email, "",
                "Carte bancaire", "https://example.org/billets", str(ticket), rate, price, "", "",
                who.phone, dice.choice(("Oui", "Non")), agreed,
            ]  # fmt: skip


def donations(dice: Random, people: Sequence[Somebody], today: date) -> bytes:
    """Gifts at HelloAsso over two years, some of them of the last weeks."""
    givers = dice.sample(people, 74)
    days = [dice.randrange(2, 26) for _ in givers[:16]] + [dice.randrange(40, 700) for _ in givers[16:]]
    rows = []
    for place, (ago, who) in enumerate(sorted(zip(days, givers, strict=True), key=lambda pair: -pair[0])):
        at = datetime.combine(today - timedelta(days=ago), time(8 + place % 12, place % 60))
        amount = dice.choice(("20,00", "30,00", "50,00", "50,00", "100,00", "150,00", "1 000,00"))
        rows.append([
            str(172_600_000 + place), f"{at:%d/%m/%Y %H:%M}", "Remboursé" if place == 9 else "Validé", who.last, who.first,
            who.last.upper(), who.first, who.email, "", "Carte bancaire", "Don unique", amount, "",
            who.street, who.postcode, who.town, "FRA",
        ])  # fmt: skip
    return table(DONATIONS, rows, "utf-8-sig")


def audience(dice: Random, people: Iterable[Somebody], status: str, today: date) -> bytes:
    """One of the three files of a Mailchimp audience: the file's name tells the status."""
    rows = [_member(dice, who, status, today) for who in people if who.newsletter == status]
    return table([*AUDIENCE, *MORE[status]], rows, "utf-8", ",")


def _member(dice: Random, who: Somebody, status: str, today: date) -> list[str]:
    joined = datetime.combine(today - timedelta(days=dice.randrange(300, 1400)), time(9, dice.randrange(60)))
    changed = joined + timedelta(days=dice.randrange(1, 290), minutes=dice.randrange(600))
    tags = dice.choice(("", "", '"Abonnés"', '"Danse"', '"Abonnés","Jeune public"'))
    first, last = (who.first, who.last) if dice.random() < 0.7 else ("", "")
    row = [
        who.email, first, last, str(dice.randrange(1, 6)), "", "", f"{joined:%Y-%m-%d %H:%M:%S}", "192.0.2.1", "", "", "", "", "",
        "FR", "", f"{changed:%Y-%m-%d %H:%M:%S}", str(100_000 + who.number), f"{who.number * 7919:08x}", "", tags,
    ]  # fmt: skip
    if status == "unsubscribed":
        row += [f"{changed:%Y-%m-%d %H:%M:%S}", "Lettre du mois", "a1b2c3", "NORMAL", ""]
    if status == "cleaned":
        row += [f"{changed:%Y-%m-%d %H:%M:%S}", "Lettre du mois", "a1b2c3"]
    return row
