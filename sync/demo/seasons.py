"""Three seasons of a small theatre, the last one under way on the day of the demo, and who bought what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random

from sync.demo.people import Habit, Somebody

ORDERS = 3000
TITLES: dict[str, tuple[str, ...]] = {
    "théâtre": (
        "887", "LE ROI LEAR", "La Mouette", "Oncle Vania", "Les Femmes savantes", "Antigone", "L'Île des esclaves", "Cendres",
        "Le Malade imaginaire", "Incendie au port", "Huis clos", "Les Bonnes", "1984", "Le Jeu de l'amour et du hasard",
        "LES CHAISES", "Bérénice", "Ubu roi", "Trois sœurs", "Le Misanthrope", "Fin de partie",
    ),
    "danse": ("Marées", "Corps à corps", "Sel", "Les Oiseaux", "Grand large", "Nuit blanche", "Ressac"),
    "cirque": ("La Tête en bas", "Équilibres", "Fil de fer", "Sous la toile"),
    "musique": ("Chants de marins", "Quatuor de novembre", "Kan ha diskan", "Piano seul", "Fanfare !", "Voix d'ailleurs"),
    "jeune public": ("Le Petit Phare", "Loup y es-tu ?", "La Baleine bleue", "Boîte à nuages", "Pas pareil"),
}  # fmt: skip
GENRE_WORDS = {
    "danse": "DANSE",
    "cirque": "CIRQUE",
    "musique": "CONCERT",
    "jeune public": "JEUNE PUBLIC",
    "théâtre": "",
}
TIMES = (time(20, 0), time(20, 30), time(19, 0), time(15, 0))


@dataclass(frozen=True)
class Show:
    """One performance. `key` and `title_key` are the box office's numbers of the performance and of the show."""

    key: int
    title_key: int
    title: str
    genre: str
    starts: datetime
    season: int

    @property
    def ends(self) -> datetime:
        return self.starts + timedelta(minutes=100)


@dataclass(frozen=True)
class Booking:
    """An order at the box office: so many seats for each show, at a price each."""

    number: int
    who: Somebody
    at: datetime
    shows: tuple[Show, ...]
    seats: int
    price: int
    product: str
    channel: str

    @property
    def season(self) -> int:
        return self.shows[0].season


def season_of(day: date) -> int:
    """The year in which the season of this day began; seasons run from September, the summer belongs to the last one."""
    return day.year if day.month >= 9 else day.year - 1


def programme(dice: Random, today: date) -> list[Show]:
    """About 15 shows a season, most of them played twice, from September to June."""
    titles = [(genre, title) for genre, names in TITLES.items() for title in names]
    dice.shuffle(titles)
    shows: list[Show] = []
    for season in range(season_of(today) - 2, season_of(today) + 1):
        of_season, titles = titles[:14], titles[14:]
        for place, (genre, title) in enumerate(dice.sample(of_season, len(of_season))):
            first = date(season, 9, 18) + timedelta(days=place * 20 + dice.randrange(6))
            if timedelta(0) < today - first < timedelta(days=9):
                first += timedelta(days=10)  # the last days belong to the families' weekend
            word = GENRE_WORDS[genre]
            name = f"{word} - {title}" if word else title
            clock = time(15, 0) if genre == "jeune public" else dice.choice(TIMES)
            for night in range(dice.choice((1, 2, 2, 3))):
                starts = datetime.combine(first + timedelta(days=night), clock)
                shows.append(Show(3000 + len(shows), 400 + place + 20 * (season % 10), name, genre, starts, season))
    return shows


def lately(shows: Sequence[Show], today: date) -> list[Show]:
    """What was played in the last weeks: in summer nothing."""
    return [show for show in shows if today - timedelta(days=39) <= show.starts.date() < today]


def bookings(
    dice: Random,
    people: Sequence[Somebody],
    newcomers: Sequence[Somebody],
    shows: Sequence[Show],
    today: date,
    count: int,
) -> list[Booking]:
    """So many orders, each made before its show and not after `today`. `newcomers` come once, in the last weeks."""
    now = datetime.combine(today, time(9, 0))
    seasons = sorted({show.season for show in shows})
    made: list[Booking] = []
    for person in people:
        for season in seasons:
            for _ in range(_how_many(dice, person.habit, person.number, seasons.index(season))):
                _book(dice, person, [show for show in shows if show.season == season], now, made)
    for person in newcomers:
        _welcome(dice, person, lately(shows, today), made)
    fill = [person for person in people if person.habit in {"regular", "occasional"}]
    past = [show for show in shows if show.starts < now - timedelta(days=40) and show.season > seasons[0]]
    past = past or [show for show in shows if show.starts < now]
    while len(made) < count:
        _book(dice, dice.choice(fill), past, now, made)
    return _numbered(made)


def _how_many(dice: Random, habit: Habit, number: int, season: int) -> int:
    """Orders of one person in one season: `season` 0 is the oldest, 2 the one under way."""
    match habit:
        case "regular":
            return dice.choice(((2, 3, 4), (3, 4, 5), (1, 2, 2))[season])
        case "lapsed":
            return dice.choice((4, 5, 6)) if season == 0 else 0
        case "occasional":
            return dice.choice(((0, 1), (1, 2), (0, 1))[season])
        case "once":
            return int(season == (0 if number % 20 < 9 else 1))
        case "school":
            return dice.choice((1, 1, 2)) if season < 2 else 0
    return 0


def _book(dice: Random, who: Somebody, shows: Sequence[Show], now: datetime, made: list[Booking]) -> None:
    if not shows:
        return
    show = dice.choice(shows)
    at = _in_daytime(dice, show, dice.choice((0, 1, 3, 8, 20, 45)))
    if at > now:  # not sold yet: sold lately instead, if it is on sale
        at = (now - timedelta(days=dice.randrange(1, 60))).replace(
            hour=dice.randrange(9, 19), minute=dice.randrange(60)
        )
        if show.starts - at > timedelta(days=150):
            return
    subscription = who.habit == "regular" and dice.random() < 0.3
    chosen = tuple(dice.sample(list(shows), min(3, len(shows)))) if subscription else (show,)
    chosen = tuple(sorted((one for one in chosen if one.starts > at), key=lambda one: one.starts))
    made.append(_booking(dice, who, at, chosen or (show,), "Abonnement" if len(chosen) > 1 else ""))


def _welcome(dice: Random, who: Somebody, shows: Sequence[Show], made: list[Booking]) -> None:
    show = dice.choice(shows)
    made.append(_booking(dice, who, _in_daytime(dice, show, dice.randrange(1, 15)), (show,), ""))


def _in_daytime(dice: Random, show: Show, days: int) -> datetime:
    """A moment when the box office is open, so many days before the show."""
    at = (show.starts - timedelta(days=days)).replace(hour=dice.randrange(9, 19), minute=dice.randrange(60))
    return min(at, show.starts - timedelta(minutes=dice.randrange(10, 60)))


def _booking(dice: Random, who: Somebody, at: datetime, shows: tuple[Show, ...], product: str) -> Booking:
    seats = dice.randrange(14, 32) if who.organisation else dice.choice((1, 1, 2, 2, 2, 3, 4))
    product = product or (
        "Scolaire" if who.organisation else dice.choice(("Plein tarif", "Plein tarif", "Tarif réduit", "Carte jeune"))
    )
    price = {"Abonnement": 15, "Scolaire": 6, "Plein tarif": 27, "Tarif réduit": 18, "Carte jeune": 10}[product]
    channel = "GUICHET" if not who.email or dice.random() < 0.3 else dice.choice(("DIGITICK", "INTERNET", "INTERNET"))
    return Booking(0, who, at.replace(second=dice.randrange(60), microsecond=0), shows, seats, price, product, channel)


def _numbered(made: Sequence[Booking]) -> list[Booking]:
    ordered = sorted(made, key=lambda booking: (booking.at, booking.who.number))
    return [replace(booking, number=900_000 + place) for place, booking in enumerate(ordered)]
