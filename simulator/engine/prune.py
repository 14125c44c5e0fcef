"""What some claims need of a scenario: without the rest it costs less and says the same.

Every instrument and investor draws from streams of its own, so leaving others out changes no
byte of what stays. Only a change beyond the market may name anything: then everything is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simulator.claims.outcomes import is_of_the_market
from simulator.scenario.claims import ClaimTerms
from simulator.scenario.investors import InvestorTerms
from simulator.scenario.models import Instruments, Scenario


def pruned(scenario: Scenario, *claims: str) -> Scenario:
    """Return the scenario with some claims, and the investors and instruments they are about.

    An instrument keeps who decides how large its measured position is; the market stays whole.
    """
    # Break-evens are asked of the whole scenario, whose numbers may be left out here.
    asked = {
        name: terms.model_copy(update={"break_even": ()})
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
            "instruments": _instruments(scenario.instruments, needed),
            "investors": {n: i for n, i in scenario.investors.items() if n in kept},
            "claims": asked,
            "replay": scenario.replay.model_copy(
                update={"subject": subject if subject in kept else min(kept)}
            ),
        }
    )


def of_the_market_alone(terms: ClaimTerms) -> bool:
    """Return whether prices and factors answer a claim, without any instrument."""
    return bool(terms.conditions) and all(map(is_of_the_market, terms.conditions))


def _may_name_anything(terms: ClaimTerms) -> bool:
    return any(not name.startswith("market.") for name in terms.change or {})


def _anybody(scenario: Scenario, needed: Collection[str]) -> str:
    """Return an investor for a scenario without any: who adds the fewest instruments."""
    investors = scenario.investors
    return min(investors, key=lambda name: len(set(investors[name].held) - set(needed)))


def _named(claims: Mapping[str, ClaimTerms]) -> Iterator[str]:
    """Yield the investors that claims name."""
    for terms in claims.values():
        for name in (terms.subject, terms.against, *(c.over for c in terms.conditions)):
            if name is not None:
                yield name


def _watched(claims: Mapping[str, ClaimTerms]) -> Iterator[str]:
    """Yield what the series begin with that claims name, instruments among it."""
    for terms in claims.values():
        for condition in terms.conditions:
            yield (condition.series or "").partition(".")[0]


def _closure(
    scenario: Scenario, investors: Collection[str], instruments: Collection[str]
) -> tuple[set[str], set[str]]:
    """Return the investors and instruments that these need, themselves included."""
    kept, needed = set(investors), set(instruments)
    while True:
        held = {name for n in kept for name in scenario.investors[n].held}
        more = _with_ground(scenario.instruments, needed | held)
        sized = _sized(scenario.instruments, more)
        who = kept | {_measurer(scenario, name) for name in sized}
        if (who, more) == (kept, needed):
            return kept, needed
        kept, needed = who, more


def _with_ground(all_of: Instruments, names: set[str]) -> set[str]:
    """Return the names with what they stand on: token, mine, pool."""
    found = names | ({"gold_token"} if "gold_vault" in names else set())
    found |= {t.sto for label, t in all_of.revenue_staking.items() if label in names}
    found |= {t.mine for label, t in all_of.mine_equity.items() if label in names}
    covers = all_of.price_cover.items()
    return found | {label for label, t in covers if names & {label, *t.names(label)}}


def _sized(all_of: Instruments, names: Collection[str]) -> set[str]:
    """Return the instruments of which one position is measured, whose size is in its gas."""
    return set(names) & {
        "gold_vault",
        *all_of.mining_sto,
        *all_of.revenue_staking,
        *all_of.price_cover,
    }


def _measurer(scenario: Scenario, name: str) -> str:
    """Return who decides how large the measured position is, as `investors.world` does."""
    investors = scenario.investors
    holders = (n for n, i in investors.items() if i.holding == name)
    return next(holders, None) or max(investors, key=lambda n: _part_usd(investors[n], name))


def _part_usd(investor: InvestorTerms, name: str) -> float:
    return (investor.capital_usd or 0.0) * (investor.weights or {}).get(name, 0.0)


def _instruments(all_of: Instruments, needed: Collection[str]) -> Instruments:
    update: dict[str, object] = {}
    for section in Instruments.model_fields:
        found = getattr(all_of, section)
        if isinstance(found, dict):
            update[section] = {label: t for label, t in found.items() if label in needed}
        elif section not in needed:
            update[section] = None
    return all_of.model_copy(update=update)
