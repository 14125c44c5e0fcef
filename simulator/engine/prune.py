"""What some claims need of a scenario: without the rest it costs less and says the same.

Every instrument and investor draws from streams of its own, so leaving others out changes no
byte of what stays. Only a change beyond the market may name anything: then everything is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simulator.claims.outcomes import is_of_the_market
from simulator.instruments.registry import with_ground
from simulator.investors.sizes import measurer
from simulator.scenario.claims import ClaimTerms
from simulator.scenario.instruments import homes
from simulator.scenario.models import Scenario


def pruned(scenario: Scenario, *claims: str) -> Scenario:
    """Return the scenario with some claims, and the investors and instruments they are about.

    An instrument keeps who decides how large its measured position is; the market stays whole.
    """
    # Numbers are named in the whole scenario, and may be left out here.
    asked = {
        name: terms.model_copy(update={"break_even": (), "follows_from": ()})
        for name, terms in scenario.claims.items()
        if name in claims
    }
    if any(_may_name_anything(terms) for terms in asked.values()):
        return scenario.model_copy(update={"claims": asked})
    watched = set(_watched(asked))
    named = set(_named(asked)) or {_anybody(scenario, watched)}
    kept, needed = _closure(scenario, named, watched)
    subject = scenario.replay.subject
    return scenario.model_copy(
        update={
            "instruments": {
                label: terms for label, terms in scenario.instruments.items() if label in needed
            },
            "investors": {n: i for n, i in scenario.investors.items() if n in kept},
            "claims": asked,
            "replay": scenario.replay.model_copy(
                update={"subject": subject if subject in kept else min(kept)}
            ),
        }
    )


def of_the_market_alone(terms: ClaimTerms) -> bool:
    """Return whether prices and factors answer a claim, without any instrument."""
    return bool(terms.conditions) and all(map(is_of_the_market, terms.measured))


def _may_name_anything(terms: ClaimTerms) -> bool:
    return any(not name.startswith("market.") for name in terms.change or {})


def _anybody(scenario: Scenario, needed: Collection[str]) -> str:
    """Return an investor for a scenario without any: who adds the fewest instruments."""
    investors = scenario.investors
    return min(investors, key=lambda name: len(set(investors[name].held) - set(needed)))


def _named(claims: Mapping[str, ClaimTerms]) -> Iterator[str]:
    """Yield the investors that claims name."""
    for terms in claims.values():
        for name in (terms.subject, terms.against, *(c.over for c in terms.measured)):
            if name is not None:
                yield name


def _watched(claims: Mapping[str, ClaimTerms]) -> Iterator[str]:
    """Yield what the series begin with that claims name, instruments among it."""
    for terms in claims.values():
        for condition in terms.measured:
            yield (condition.series or "").partition(".")[0]


def _closure(
    scenario: Scenario, investors: Collection[str], series: Collection[str]
) -> tuple[set[str], frozenset[str]]:
    """Return the investors, and the labels of instruments, that these need, all included.

    `series` are the names of positions; others, as `price`, are of no instrument.
    """
    home = homes(scenario.instruments)
    kept, needed = set(investors), frozenset(home[name] for name in series if name in home)
    while True:
        held = {home[name] for n in kept for name in scenario.investors[n].held}
        more = with_ground(scenario.instruments, needed | held)
        who = kept | {measurer(scenario, name) for name in _sized(scenario, more)} - {""}
        if (who, more) == (kept, needed):
            return kept, needed
        kept, needed = who, more


def _sized(scenario: Scenario, labels: Collection[str]) -> Iterator[str]:
    """Yield the positions of which one size is simulated, which is in their gas."""
    for label in labels:
        for position in scenario.instruments[label].positions(label):
            if position.measured is not None:
                yield position.name
