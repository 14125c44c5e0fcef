"""A stage for a contract of one's own, and years of a market to play on it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace

from simulator.chain import DEVELOPMENT_ACCOUNTS
from simulator.errors import UsageError
from simulator.scenario import load_scenario
from simulator.testing import over_ape
from simulator.trial.adapters import Adapter
from simulator.trial.sequences import Year
from simulator.trial.stage import ROLES, TrialStage
from simulator.trial.whole import summon
from simulator.trial.years import years_of
from simulator.units import SECONDS_PER_DAY


def staged(
    contract: str, adapter: str | type[Adapter] | None = None, **arguments: str
) -> TrialStage:
    """Return a contract that was only just deployed, on a stage of its own in this process.

    Where ape has connected a project's tests to a chain, it stands there.

    Parameters
    ----------
    contract : str
        A Vyper file, or an artifact of ape, Foundry or Vyper.
    adapter : str or class, optional
        As `assay try --adapter`, or the class itself.
    **arguments
        Arguments of the constructor by name, as `assay try --arg` takes them.

    Raises
    ------
    UsageError, InputError, ChainUnavailable
    """
    case = summon(contract, None, adapter, arguments, None).case
    connected = over_ape.provider()
    return case.stage(chain=None if connected is None else over_ape.ApeChain(connected))


def roles_of() -> SimpleNamespace:
    """Return the addresses of the roles: ape's accounts, where it is connected."""
    own = DEVELOPMENT_ACCOUNTS
    if connected := over_ape.provider():
        own = over_ape.ApeChain(connected).accounts
    return SimpleNamespace(**dict(zip(ROLES, own, strict=False)))


def at_day(stage: TrialStage, day: int) -> None:
    """Let time pass until so many days after the stage's first one.

    Raises
    ------
    UsageError
        That day is over.
    """
    seconds = stage.start + day * SECONDS_PER_DAY - stage.chain.timestamp()
    if seconds < 0:
        raise UsageError(f"day {day} is over on this stage")
    stage.wait(seconds)


@lru_cache
def market_path(scenario: str = "gold-vault-sober", path: int = 0) -> Year:
    """Return what a path of a scenario brings the position that its claims are about, by day."""
    loaded = load_scenario(scenario)
    *_, last = years_of(loaded, path + 1, loaded.scenario.name)
    return last


def shock(year: Year, day: int, gained: float) -> Year:
    """Return a year in which the assets gain so much on a day, as a share: -0.2 is a loss.

    Raises
    ------
    UsageError
        The year has no such day after its first, or more than everything would be lost.
    """
    if not 0 < day < len(year.returns):
        raise UsageError(f"a shock on day {day}: must be 1 to {len(year.returns) - 1}")
    if not gained > -1.0:
        raise UsageError(f"a shock of {gained}: must be above -1, which is everything")
    returns = (*year.returns[:day], gained, *year.returns[day + 1 :])
    return replace(year, name=f"{year.name}, {gained:+.0%} on day {day}", returns=returns)
