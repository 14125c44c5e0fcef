"""The registry: its order, its streams, and what packages from outside may and may not do."""

import itertools
from importlib import import_module
from types import SimpleNamespace

import pytest

from simulator.errors import InputError
from simulator.instruments import registry
from simulator.instruments.card import Instrument
from simulator.instruments.holding.terms import HoldingTerms
from simulator.instruments.registry import (
    OUTSIDE,
    Circle,
    cards,
    in_order,
    labelled,
    own_stream,
    stream_faults,
    stream_of,
    turns,
    with_ground,
)
from simulator.instruments.terms import InstrumentTerms, Needs, Position
from simulator.market.streams import Stream
from simulator.scenario import load_scenario

FLAGSHIP = (
    *("gold_token", "silver_token", "gold_pool", "gold_vault"),
    *("producing_sto", "ramp_up_sto", "development_sto"),
    *("producing_share", "ramp_up_share", "development_share"),
    *("producing_staking", "copper-cover", "copper_etf"),
)
"""By kind as in the registry; holdings of the flagship follow in the file's order."""


class Stone(InstrumentTerms):
    """Terms that stand on others by label."""

    on: tuple[str, ...] = ()

    def positions(self, label):
        return (Position(label, "gold"),)

    def needs(self):
        return Needs(instruments=self.on)


def stones(**needs):
    """Return terms by label; `kind` is one that exists, so that there is an order."""
    return {label: Stone(kind="holding", on=on) for label, on in needs.items()}


def test_cards__are_in_the_order_of_the_rooms():
    assert tuple(cards()) == (
        *("gold_token", "silver_token", "gold_vault"),
        *("mining_sto", "mine_equity", "revenue_staking", "price_cover", "holding"),
        *("miner_perp", "solar_nft", "token_loan", "gold_pool"),
    )


@pytest.mark.parametrize("kind", list(cards()))
def test_card__everything_it_names__loads_and_has_what_the_protocol_asks(kind):
    card = cards()[kind]
    assert issubclass(card.terms, InstrumentTerms)
    for where, methods in (
        (card.model, ("draw", "play")),
        (card.stagecraft, ("cast",)),
        (card.page, ("section", "of_holder", "fans", "on_depeg")),
    ):
        if where:
            module, _, name = where.partition(":")
            found = getattr(import_module(module), name)
            assert all(callable(getattr(found, method)) for method in methods)


def test_order__of_the_flagship__is_by_kind_then_by_file():
    chosen = load_scenario("hard-assets-2026").scenario.instruments
    assert in_order(chosen)[: len(FLAGSHIP)] == FLAGSHIP
    assert set(in_order(chosen)) == set(chosen)


def test_order__ground_comes_first_and_else_nothing_moves():
    chosen = stones(roof=("wall",), door=(), wall=("floor",), floor=())
    assert in_order(chosen) == ("floor", "wall", "roof", "door")
    assert with_ground(chosen, ["roof"]) == {"roof", "wall", "floor"}
    assert with_ground(chosen, ["door", "nowhere"]) == {"door"}


def test_order__in_a_circle__names_it():
    with pytest.raises(Circle, match="wall needs floor needs wall") as caught:
        in_order(stones(roof=("wall",), wall=("floor",), floor=("wall",)))
    assert caught.value.labels == ("wall", "floor")


# -- streams -----------------------------------------------------------------------------------


def room_streams():
    """Yield every number that a room names."""
    for module in ("gold_token.paths", "gold_vault.drivers", "mining.streams"):
        yield from import_module(f"simulator.instruments.{module}").Stream


def test_streams__of_market_and_rooms__are_each_given_once():
    numbers = [int(number) for number in (*Stream, *room_streams())]
    assert len(numbers) == len(set(numbers))
    # the lowest byte is all that the bare number is, and below the range of those from outside
    assert max(numbers) < OUTSIDE
    assert {int(number) for number in room_streams()} <= set(range(128, OUTSIDE))


def test_stream__of_a_label__is_bare_where_the_label_is_the_kind():
    assert stream_of(133, "gold_vault", "gold_vault") == 133
    # `printf sober_vault | sha256sum` begins with these three bytes; 133 is the lowest byte
    expected = int("e99a05", 16) << 8 | 133
    assert stream_of(133, "gold_vault", "sober_vault") == labelled(133, "sober_vault") == expected


def test_stream__from_outside__has_a_lowest_byte_of_its_own():
    found = [
        own_stream(kind, draw, label)
        for kind, draw, label in itertools.product("abc", ("missing", "late"), ("x", "y", "z"))
    ]
    assert len(set(found)) == len(found)
    assert all(OUTSIDE <= number % 256 <= 255 and number < 2**32 for number in found)


def test_stream__from_outside_of_no_kind_or_of_a_draw_not_named__is_refused(monkeypatch):
    """Terms that no scenario made have no kind, and would draw other numbers without a word."""
    with pytest.raises(ValueError, match="needs a kind"):
        own_stream("", "missing", "x")
    stone = Instrument("stone", "x", Stone, draws=("missing",))
    monkeypatch.setattr(registry, "cards", lambda: {"stone": stone})
    assert own_stream("stone", "missing", "x") % 256 >= OUTSIDE
    with pytest.raises(ValueError, match="names no draw 'late': missing"):
        own_stream("stone", "late", "x")


def test_streams__that_collide__name_the_other(monkeypatch):
    monkeypatch.setattr(registry, "labelled", lambda stream, label: stream)
    assert stream_faults(stones(a=(), b=())) == {"b": "a"}


# -- packages from outside ---------------------------------------------------------------------


def point(name, loads, package):
    """Return an entry point of a package; `loads` is what it brings, or raises."""

    def load():
        if isinstance(loads, Exception):
            raise loads
        return loads

    return SimpleNamespace(
        name=name, value=f"{package}:CARD", load=load, dist=SimpleNamespace(name=package)
    )


def offer(*points):
    return registry._collect([Instrument("holding", "x", HoldingTerms)], points)


def test_package__with_a_card__is_offered_behind_our_own():
    found = offer(point("stone", Instrument("stone", "a stone", Stone), "acme-stones"))
    assert list(found.cards) == ["holding", "stone"]
    assert found.homes == {"holding": "", "stone": "acme-stones"}
    assert not found.broken


def test_package__that_offers_our_kind__is_refused_with_both_homes():
    found = offer(point("holding", Instrument("holding", "mine", Stone), "acme-stones"))
    assert found.cards["holding"].terms is HoldingTerms
    assert found.broken == {
        "holding": "is offered twice: by Assay itself and by package acme-stones"
    }


def test_packages__that_offer_one_kind__are_both_named_and_neither_counts():
    one, two = (point("stone", Instrument("stone", "x", Stone), f"acme-{n}") for n in "ab")
    found = offer(one, two)
    assert "stone" not in found.cards
    assert found.broken["stone"] == "is offered twice: by package acme-a and by package acme-b"


@pytest.mark.parametrize(
    ("loads", "why"),
    [
        (ImportError("no module named quarry"), "ImportError: no module named quarry"),
        (SimpleNamespace(), "TypeError: acme:CARD is no Instrument"),
        (Instrument("stone", "x", dict), "the terms of stone do not derive from InstrumentTerms"),
    ],
)
def test_package__that_does_not_load__says_why_and_the_rest_works(loads, why):
    found = offer(point("stone", loads, "acme"))
    assert list(found.cards) == ["holding"]
    assert "package acme does not load" in found.broken["stone"]
    assert why in found.broken["stone"]


def test_turns__of_what_is_traded_in__are_to_be_drawn_first_and_played_last():
    chosen = load_scenario("gold-vault-sober").scenario.instruments
    assert list(turns(chosen)) == [
        ("gold_token", False),
        ("gold_token", True),
        ("gold_pool", False),
        ("gold_vault", False),
        ("gold_vault", True),
        ("gold_pool", True),
    ]


def test_turns__where_nobody_trades_in_anything__are_each_ones_at_once():
    chosen = load_scenario("copper-sto").scenario.instruments
    expected = [(label, played) for label in in_order(chosen) for played in (False, True)]
    assert list(turns(chosen)) == expected


def test_ground__keeps_who_trades_in_it():
    """Without the vault the pool's paths would be others."""
    chosen = load_scenario("gold-vault-sober").scenario.instruments
    assert with_ground(chosen, ["gold_pool"]) == {"gold_token", "gold_pool", "gold_vault"}
    assert with_ground(chosen, ["gold_token"]) == {"gold_token"}


def test_two_visitors__of_one_pool__are_refused():
    second = "instruments.second={kind: gold_vault, pool: gold_pool, pool_share: 0.1}"
    rule = r"second: trades in gold_pool, as gold_vault does; only one instrument may"
    with pytest.raises(InputError, match=rule):
        load_scenario("gold-vault-sober", overrides=[second])
    load_scenario("gold-vault-sober", overrides=["instruments.second={kind: gold_vault}"])
