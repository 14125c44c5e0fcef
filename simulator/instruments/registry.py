"""Every kind of product there is: those that ship with Assay, and those of installed packages.

A package offers a product by an entry point of the group `assay.instruments`, which names an
`Instrument`, or a tuple of them. One that does not load takes nothing else down: its kind is
refused with the reason where a scenario asks for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidationError

from simulator.errors import AssayError, ProductFailed
from simulator.instruments.card import Instrument
from simulator.instruments.terms import InstrumentTerms
from simulator.schema.fields import Faults

BUILT_IN = (
    "simulator.instruments.gold_token",
    "simulator.instruments.gold_vault",
    "simulator.instruments.mining",
    "simulator.instruments.price_cover",
    "simulator.instruments.holding",
    "simulator.instruments.miner_perp",
    "simulator.instruments.solar_nft",
    "simulator.instruments.token_loan",
    "simulator.instruments.gold_pool",
)
"""The rooms, each with its `CARDS`; their order is that of tables and checksums."""

GROUP = "assay.instruments"
BROUGHT_BY = {"acme_warehouse": "acme-warehouse (examples/acme_warehouse)"}
"""Kinds that are known to come with a package, for the message where it is not installed."""
OUTSIDE = 192
"""Lowest byte of the streams of products from outside: 192 to 255."""

Card = Instrument[Any]


@dataclass(frozen=True)
class Offered:
    """What can be named in a scenario, and what cannot and why.

    Attributes
    ----------
    cards : dict of str to Instrument
        By kind.
    homes : dict of str to str
        By kind: the name of the package that offers it, empty for Assay itself.
    broken : dict of str to str
        By name of an entry point, which should be the kind: why it is not there.
    """

    cards: Mapping[str, Card]
    homes: Mapping[str, str]
    broken: Mapping[str, str]


def cards() -> Mapping[str, Card]:
    """Return every product by its kind: those of Assay first, in their order."""
    return offered().cards


@cache
def offered() -> Offered:
    """Return what there is; packages are looked for once a process."""
    return _collect(_built_in(), sorted(entry_points(group=GROUP), key=lambda point: point.name))


def _built_in() -> Iterator[Card]:
    for room in BUILT_IN:
        yield from import_module(room).CARDS


def _collect(built_in: Iterable[Card], points: Sequence[EntryPoint]) -> Offered:
    found = {card.kind: card for card in built_in}
    homes, broken = dict.fromkeys(found, ""), dict[str, str]()
    for point in points:
        package = point.dist.name if point.dist is not None else point.value
        try:
            brought = _brought(point)
        except Exception as error:  # whatever a stranger's import does, the rest still works
            broken[point.name] = f"package {package} does not load: {_said(error)}"
            continue
        for card in brought:
            if card.kind in found:
                other = f"package {homes[card.kind]}" if homes[card.kind] else "Assay itself"
                broken[card.kind] = f"is offered twice: by {other} and by package {package}"
                continue
            found[card.kind], homes[card.kind] = card, package
    # Of two packages nobody knows which one is meant; what Assay has is meant.
    for kind in broken.keys() & found.keys():
        if homes[kind]:
            del found[kind], homes[kind]
    return Offered(found, homes, broken)


def _brought(point: EntryPoint) -> tuple[Card, ...]:
    loaded = point.load()
    brought = loaded if isinstance(loaded, tuple) else (loaded,)
    for card in brought:
        if not isinstance(card, Instrument):
            raise TypeError(f"{point.value} is no Instrument")
        if not (isinstance(card.terms, type) and issubclass(card.terms, InstrumentTerms)):
            raise TypeError(f"the terms of {card.kind} do not derive from InstrumentTerms")
    return brought


def _said(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def packages_of(chosen: Mapping[str, InstrumentTerms]) -> tuple[str, ...]:
    """Return the packages from outside that a scenario's instruments come from, each once."""
    homes = (offered().homes[terms.kind] for terms in chosen.values())
    return tuple(dict.fromkeys(home for home in homes if home))


def artifacts_of(chosen: Mapping[str, InstrumentTerms]) -> tuple[str, ...]:
    """Return where their compiled contracts lie, of those that are not Assay's own."""
    places = (card_of(terms).artifacts for terms in chosen.values())
    return tuple(dict.fromkeys(place for place in places if place))


def card_of(terms: InstrumentTerms) -> Card:
    """Return the card of an instrument's kind."""
    return cards()[terms.kind]


@contextmanager
def working_for(label: str, kind: str) -> Iterator[None]:
    """Let what a product from outside raises be told under its name; our own errors pass.

    Raises
    ------
    ProductFailed
    """
    package = offered().homes.get(kind, "")
    try:
        yield
    except (AssayError, Faults, ValidationError):
        raise
    except Exception as error:
        if not package:
            raise
        where = f"{label} ({kind} of package {package})"
        raise ProductFailed(f"{where} failed: {_said(error)}") from error


@cache
def _loaded(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def _part(terms: InstrumentTerms, where: str, what: str) -> Any | None:
    """Return what a card names, loaded; None where it names nothing."""
    if not where:
        return None
    with working_for(f"the {what}", terms.kind):
        return _loaded(where)


def model_of(terms: InstrumentTerms) -> Any:
    """Return the `Model` of an instrument's kind."""
    return _part(terms, card_of(terms).model, "model")


def stagecraft_of(terms: InstrumentTerms) -> Any | None:
    """Return the `Stagecraft` of an instrument's kind; None for what is not on a chain."""
    return _part(terms, card_of(terms).stagecraft, "stagecraft")


def page_of(terms: InstrumentTerms) -> Any | None:
    """Return the `Page` of an instrument's kind; None for one that has none."""
    return _part(terms, card_of(terms).page, "page")


def load_all(chosen: Mapping[str, InstrumentTerms]) -> None:
    """Load all that a scenario's instruments will need, so that it fails before the work.

    Raises
    ------
    ProductFailed
        A part of a product from outside does not load, or it has no model.
    """
    for label, terms in chosen.items():
        if model_of(terms) is None:
            package = offered().homes[terms.kind]
            raise ProductFailed(f"{label} ({terms.kind} of package {package}) has no model")
        stagecraft_of(terms)
        page_of(terms)


class Circle(ValueError):
    """Instruments stand on each other in a circle; `labels` are those in it, in order."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        super().__init__(" needs ".join((*labels, labels[0])))


def in_order(chosen: Mapping[str, InstrumentTerms]) -> tuple[str, ...]:
    """Return the labels by kind as in the registry, each behind what it stands on.

    Within a kind the order is the file's.

    Raises
    ------
    Circle
    """
    ranks = {kind: rank for rank, kind in enumerate(cards())}
    by_kind = sorted(chosen, key=lambda label: ranks[chosen[label].kind])
    done, open_now = dict[str, None](), list[str]()

    def place(label: str) -> None:
        if label in done or label not in chosen:
            return
        if label in open_now:
            raise Circle(open_now[open_now.index(label) :])
        open_now.append(label)
        for below in chosen[label].needs().instruments:
            place(below)
        open_now.pop()
        done[label] = None

    for label in by_kind:
        place(label)
    return tuple(done)


def visitors(chosen: Mapping[str, InstrumentTerms], label: str) -> frozenset[str]:
    """Return the labels of those who trade in an instrument, and so move it."""
    return frozenset(other for other, terms in chosen.items() if label in terms.needs().trades_in)


def turns(chosen: Mapping[str, InstrumentTerms]) -> Iterator[tuple[str, bool]]:
    """Yield labels in their turns: to be drawn (False), and to be played (True).

    Everybody is drawn once his ground is played, and played at once; but what others trade in is
    drawn before them and played after them. Whoever stands on such a ground without trading in it
    comes after its play.

    Raises
    ------
    Circle
    """
    order, drawn, played = in_order(chosen), set[str](), set[str]()
    needs = {label: chosen[label].needs() for label in order}
    while len(played) < len(order):
        before = len(drawn) + len(played)
        for label in order:
            below = set(needs[label].instruments) & chosen.keys()
            waits = below - set(needs[label].trades_in) - played
            if label not in drawn and not waits and below <= drawn:
                drawn.add(label)
                yield label, False
            if label in drawn and label not in played and visitors(chosen, label) <= played:
                played.add(label)
                yield label, True
        if len(drawn) + len(played) == before:
            raise Circle([label for label in order if label not in played])


def with_ground(chosen: Mapping[str, InstrumentTerms], labels: Iterable[str]) -> frozenset[str]:
    """Return labels with all that they stand on, and with those who trade in any of it."""
    found, more = set[str](), {label for label in labels if label in chosen}
    while more:
        found |= more
        below = {below for label in more for below in chosen[label].needs().instruments}
        above = {other for label in more for other in visitors(chosen, label)}
        more = (below | above) & chosen.keys() - found
    return frozenset(found)


# -- streams of random numbers ---------------------------------------------------------------


def labelled(stream: int, label: str) -> int:
    """Return the stream of the instrument called `label`, where a scenario may hold several.

    The label's hash fills the 24 bits above the stream's number: neither the order of the
    instruments nor a neighbour changes a draw.
    """
    digest = hashlib.sha256(label.encode()).digest()
    return int.from_bytes(digest[:3], "big") << 8 | int(stream)


def stream_of(stream: int, kind: str, label: str) -> int:
    """Return a built-in product's stream: the bare number where the label is the kind."""
    return int(stream) if label == kind else labelled(stream, label)


def own_stream(kind: str, draw: str, label: str) -> int:
    """Return the stream of a draw of a product from outside: 32 bits of a hash.

    The lowest byte is 192 to 255, a range that Assay's own streams keep free.

    Raises
    ------
    ValueError
        The kind is empty, as that of terms which no scenario made; or its card does not name the
        draw, so that nobody would see it collide with another.
    """
    if not kind:
        raise ValueError("own_stream needs a kind: terms have one once a scenario made them")
    card = cards().get(kind)
    if card is not None and draw not in card.draws:
        raise ValueError(f"the card of {kind} names no draw {draw!r}: {', '.join(card.draws)}")
    digest = hashlib.sha256(f"{kind}/{draw}/{label}".encode()).digest()
    return int.from_bytes(digest[:3], "big") << 8 | OUTSIDE | digest[3] % 64


def stream_faults(chosen: Mapping[str, InstrumentTerms]) -> dict[str, str]:
    """Return, by label, whose random numbers an instrument would share by a collision."""
    taken: dict[int, str] = {}
    faults: dict[str, str] = {}
    for label, terms in chosen.items():
        draws = card_of(terms).draws
        numbers: list[tuple[int, str]] = [(labelled(0, label), label)]
        numbers += [(own_stream(terms.kind, draw, label), f"{label} ({draw})") for draw in draws]
        for number, whose in numbers:
            if taken.setdefault(number, whose) != whose:
                faults[label] = taken[number]
    return faults
