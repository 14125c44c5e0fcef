"""What kind of figures these are: hypothetical performance, and what that leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.report.markup import Html, element, fold

if TYPE_CHECKING:
    from simulator.claims import Verdict
    from simulator.scenario.models import MarketScenario, Scenario


def notice_section(scenario: Scenario, verdicts: Sequence[Verdict]) -> Html:
    """Return the notice: criteria, assumptions, risks and limits."""
    items = (
        ("Criteria.", _criteria()),
        ("Assumptions.", _assumptions(scenario)),
        ("Gross and net.", _gross_and_net()),
        ("Three kinds of error, never mixed.", _errors(scenario, verdicts)),
        ("Risks and limits.", _limits()),
    )
    return fold(
        "notice",
        "Hypothetical performance",
        element(
            "p",
            "Nobody earned these returns. They are computed from stated assumptions, are not a "
            "forecast, and are not advice to buy or to sell anything. Actual results will differ.",
        ),
        *(element("p", element("b", head), " ", words) for head, words in items),
    )


def _criteria() -> str:
    return (
        "A claim is judged by how likely it is, given the error of sampling and that of "
        "estimation: an event by the share of simulated paths on which all of its conditions "
        "hold, meant over the parameter sets; an effect by the share of sets in which it holds. "
        "Supported is 95 % or more, plausible 50 %, unlikely 5 %, refuted less; firm where the "
        "sets agree. The thresholds "
        "stood in the scenario before the run. Returns are what leaving pays, not what a "
        "contract displays."
    )


def model_words(scenario: MarketScenario) -> str:
    """Return what prices follow."""
    history = Path(scenario.market.history or "").name
    return {
        "gbm": "a geometric Brownian motion with calibrated figures",
        "jump": "a jump diffusion (Merton) with calibrated figures",
        "garch": "a GJR-GARCH model with Student t shocks and calibrated figures",
        "macro": "a GJR-GARCH model with Student t shocks, macro factors, regimes and events",
        "history": f"{history} as it was, the same on every path",
        "bootstrap": f"a stationary block bootstrap of {history}",
    }[scenario.market.model]


def _assumptions(scenario: Scenario) -> str:
    return (
        f"Prices follow {model_words(scenario)}. Drifts, demand, hazards and the fate of reward "
        "tokens are inputs of the scenario. All figures are listed below with their origin."
    )


def _gross_and_net() -> str:
    return (
        "Gross is income and price changes before losses and costs; net is what the holder "
        "keeps after fees, gas, spreads, bad debt, exploits and defaults. Both are means over "
        "all paths and stand side by side; taxes are in neither."
    )


def _errors(scenario: Scenario, verdicts: Sequence[Verdict]) -> str:
    words = [
        f"Intervals and standard errors state the error of sampling {scenario.paths:,} paths, "
        "and nothing else."
    ]
    if all(verdict.parameter_range is None for verdict in verdicts):
        words.append(
            "The range over parameter sets is not part of this run: ignorance of drift and "
            "correlations is usually far larger than the intervals shown."
        )
    else:
        words.append(
            "The range over parameter sets, which is usually far larger, states what ignorance of "
            "drift, volatility and correlations adds; the word of a verdict holds both."
        )
    if any(verdict.assumption_range is not None for verdict in verdicts):
        words.append(
            "The range over assumptions states what all figures marked as such leave open, each "
            "over its stated range or from half to double, all at once; it stands beside the word "
            "and is never in it."
        )
    else:
        words.append("What the assumptions leave open is not part of this run.")
    return " ".join(words)


def _limits() -> str:
    return (
        "A simulated market has no crisis that its model does not know. Exploits, defaults and "
        "the failure of a custodian are drawn from assumed hazards and may come together in "
        "life; liquidity may vanish when it is needed; contracts, rules and taxes change."
    )
