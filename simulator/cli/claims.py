"""`assay claims`: what the ready scenarios put to the test."""

from __future__ import annotations

from collections.abc import Iterator

import click

from simulator.claims.verdict import describe
from simulator.scenario import load_scenario, shipped_scenarios
from simulator.scenario.claims import ClaimTerms


def claims() -> None:
    """Do what `assay claims` is asked for, as its own module in `commands` says."""
    seen: set[str] = set()
    for path in shipped_scenarios():
        for name, claim in load_scenario(path).scenario.claims.items():
            if name in seen:
                continue
            seen.add(name)
            click.echo(f"{name}: {claim.says}")
            for line in _test(claim):
                click.echo(f"    {line}")


def _test(claim: ClaimTerms) -> Iterator[str]:
    if claim.premise is not None:
        premise = claim.premise
        bound = premise.at_least if premise.at_least is not None else premise.at_most
        side = "at least" if premise.at_least is not None else "at most"
        yield f"premise: history's estimate {side} {bound:,.10g} {premise.unit}".rstrip()
    if claim.kind == "effect":
        change = claim.change or {}
        beside = (
            f"less {claim.against}"
            if claim.against
            else "with " + ", ".join(f"{place} = {value}" for place, value in change.items())
        )
        yield f"effect: difference of the {claim.statistic} over paths, {beside}"
    for condition in claim.conditions:
        yield describe(condition)
    if claim.given is not None:
        yield f"given {describe(claim.given)}"
