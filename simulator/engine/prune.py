"""What one claim needs of a scenario: without the rest it costs less and says the same.

Every instrument and investor draws from streams of its own, so leaving others out changes no
byte of what stays. Effects keep everything: their change may name anything.
"""

from __future__ import annotations

from simulator.scenario.models import Instruments, Scenario


def pruned(scenario: Scenario, claim: str) -> Scenario:
    """Return the scenario with one claim, and the investors and instruments it is about.

    The vault keeps its measured holder, whose deposit is a part of it; the market stays whole.
    """
    terms = scenario.claims[claim]
    if terms.kind != "event":
        return scenario
    named = {terms.subject, *(condition.over for condition in terms.conditions)}
    watched = {(condition.series or "").partition(".")[0] for condition in terms.conditions}
    kept = {name for name in named if name is not None}
    needed = watched | {held for name in kept for held in scenario.investors[name].held}
    if "gold_vault" in needed:
        kept |= {n for n, i in scenario.investors.items() if i.holding == "gold_vault"}
    kept = kept or {scenario.replay.subject}
    needed |= {held for name in kept for held in scenario.investors[name].held}
    first = next(name for name in scenario.investors if name in kept)
    return scenario.model_copy(
        update={
            "instruments": _instruments(scenario.instruments, needed),
            "investors": {n: i for n, i in scenario.investors.items() if n in kept},
            "claims": {claim: terms},
            "replay": scenario.replay.model_copy(update={"subject": first}),
        }
    )


def _instruments(all_of: Instruments, needed: set[str]) -> Instruments:
    wanted = set(needed)
    if "gold_vault" in wanted:
        wanted.add("gold_token")
    wanted |= {t.sto for label, t in all_of.revenue_staking.items() if label in wanted}
    wanted |= {t.mine for label, t in all_of.mine_equity.items() if label in wanted}
    wanted |= {
        label for label, t in all_of.price_cover.items() if wanted & {label, *t.names(label)}
    }
    update: dict[str, object] = {}
    for section in Instruments.model_fields:
        found = getattr(all_of, section)
        if isinstance(found, dict):
            update[section] = {label: t for label, t in found.items() if label in wanted}
        elif section not in wanted:
            update[section] = None
    return all_of.model_copy(update=update)
