"""What happens on a day: shocks to prices, volatility, correlation and the dollar on chain.

    shocks:
      - {name: crash, target: price.gold, on: 2027-03-15, size: -0.20}
      - {name: depeg, target: usdc, on: 2027-03-20, at: 0.90, plateau_days: 7}
      - {name: panic, target: volatility, when: drawdown(gold) > 0.1, times: 2, half_life_days: 20}

A shock comes over `ramp_days`, stays for `plateau_days` (for ever, where neither it nor a half-life
is given) and then fades with `half_life_days`, or is gone at once without one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, cast, get_args

from pydantic import Field, model_validator

from simulator.instruments.terms import Amount, Struck
from simulator.scenario.observables import FACTORS, one_of
from simulator.scenario.shock_targets import (
    CORRELATION,
    FACTOR,
    FAMILIES,
    HOURS,
    VOLATILITY,
    targets,
)
from simulator.schema.assets import USDC
from simulator.schema.fields import (
    Day,
    Fault,
    Fraction,
    Frozen,
    Label,
    Positive,
    Share,
    Whole,
    refuse,
)

_CONDITION = re.compile(
    r"\s*(?:(?P<of>drawdown)\s*\(\s*(?P<inner>\w+)\s*\)|(?P<plain>\w+))\s*"
    r"(?P<sign><=|>=|<|>)\s*(?P<bound>-?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*"
)
MOST_OF_A_DOLLAR = 1.5
"""What a dollar on chain can be worth at most, in dollars."""
_FORM = "must be as `gold < 4_000` or `drawdown(silver) > 0.3`"

Sign = Literal["<", "<=", ">", ">="]
AMOUNTS: tuple[Amount, ...] = get_args(Amount)
MOST_VOLATILITY = 20.0
MOST_OF_A_RATE = 0.25


@dataclass(frozen=True)
class When:
    """A condition on the close of a day: of a price or factor, or of a fall from the highest."""

    asset: str
    falls: bool
    sign: Sign
    bound: float


def read_condition(text: str) -> When | None:
    """Return what a condition says, or None where it cannot be read."""
    found = _CONDITION.fullmatch(text)
    if found is None:
        return None
    sign = cast(Sign, found["sign"])
    bound = float(found["bound"].replace("_", ""))
    return When(found["inner"] or found["plain"], found["of"] is not None, sign, bound)


class ShockTerms(Frozen):
    """One thing that happens: to what, when, how much, for how long, on which paths."""

    name: Label
    """What reports call it."""
    group: Label | None = None
    """What it is a part of: the shocks of a group are compared with none as one."""
    target: Annotated[str, Field(pattern=r"^[a-z0-9_-]+(\.[a-z0-9_-]+)?$")]
    """price.ASSET, volatility, volatility.ASSET, correlation, usdc, feed.METAL, hours, gas,
    factor.real_rate, .nominal_rate or .liquidity, or what an instrument names, as
    gold_vault.exploit."""
    on: Day | None = None
    """Day on which it begins."""
    day: Annotated[Whole, Field(ge=1, le=3660)] | None = None
    """Step on which it begins, instead of a date."""
    when: str | None = None
    """A condition on a price or factor, instead of a date: seen at a close, it acts on the next
    day, once."""
    size: Fraction | None = None
    """Of a price: its move, -0.2 = it falls by 20 %. Of a feed: by how much it is wrong. Of
    correlation: how far it goes towards 1. Of an instrument: a share, as of what is stolen."""
    at: Positive | None = None
    """Of a price or feed: the level it goes to, in its own unit; of gas: gwei."""
    times: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Of volatility, 20 at most, or of gas: what it is multiplied by."""
    by: Annotated[float, Field(ge=-10, le=10)] | None = None
    """Of a factor: what is added to it, in its own unit: 0.01 = 100 basis points of a rate; of
    liquidity, standard deviations."""
    feed: Literal["frozen", "exchange"] | None = None
    """Of a feed, instead of an amount: it says what it said last, or is fed with a token's trades
    on its exchange, on every day."""
    ramp_days: Annotated[Whole, Field(ge=1, le=3660)] = 1
    """Days over which it comes; 1 = at once."""
    plateau_days: Annotated[Whole, Field(ge=1, le=3660)] | None = None
    """Days for which it is all there; none = for ever, or until it fades."""
    half_life_days: Positive | None = None
    """Days in which half of it goes, after the plateau; none = it goes at once."""
    share: Share = 1.0
    """Share of the paths on which it happens, drawn."""
    others: Literal["follow", "stay"] = "follow"
    """Whether other assets move with a price by their beta to it, or stay where they were."""

    @property
    def counts_as(self) -> str:
        """Return what it is compared under: its group, or its own name."""
        return self.group or self.name

    @property
    def factors(self) -> tuple[str, ...]:
        """Return the factors of model macro that it moves or looks at."""
        seen = self.condition
        looks = (seen.asset,) if seen is not None and seen.asset in FACTORS else ()
        return (*looks, *((self.asset,) if self.family == FACTOR else ()))

    @property
    def amount(self) -> float:
        """Return how much, in whichever way it is said; 0 where it is not."""
        return next((v for n in AMOUNTS if (v := getattr(self, n)) is not None), 0.0)

    @property
    def family(self) -> str:
        """Return the first word of the target: price, volatility, correlation, usdc, ..."""
        return self.target.partition(".")[0]

    @property
    def asset(self) -> str:
        """Return the asset of the target, empty where it is about all."""
        return self.target.partition(".")[2]

    @property
    def condition(self) -> When | None:
        """Return the condition, where there is one that can be read."""
        return None if self.when is None else read_condition(self.when)

    def begins(self, start: dt.date) -> int | None:
        """Return the step on which it begins; None where a condition decides."""
        return self.day if self.on is None else (self.on - start).days

    @model_validator(mode="after")
    def _is_whole(self) -> ShockTerms:
        refuse([*self._moment_faults(), *self._amount_faults()])
        return self

    def _moment_faults(self) -> list[Fault]:
        given = [name for name in ("on", "day", "when") if getattr(self, name) is not None]
        if len(given) != 1:
            return [((), "", "must have one of on (a date), day (a step) and when (a condition)")]
        if self.when is not None and self.condition is None:
            return [(("when",), f"'{self.when}'", _FORM)]
        seen = self.condition
        if seen is not None and seen.falls and not 0.0 <= seen.bound < 1.0:
            return [(("when",), f"'{self.when}'", "a drawdown is 0 to 1: 30 % is written 0.3")]
        return []

    def _amount_faults(self) -> list[Fault]:
        family = FAMILIES.get(self.family)
        if family is None:
            return []
        given = [name for name in (*AMOUNTS, "feed", "by") if getattr(self, name) is not None]
        wanted = " or ".join(family.amounts)
        if not wanted and given:
            return [((given[0],), "", f"is not for {self.target}, which has no size")]
        if wanted and (len(given) != 1 or given[0] not in family.amounts):
            return [((), "", f"must have {wanted}, and nothing else, to say how much")]
        certain = self.certain_faults() if family.is_certain else []
        return [*self._size_faults(), *certain, *self._length_faults()]

    def _length_faults(self) -> list[Fault]:
        """Return what would let something come or go by parts that is there or not."""
        fades = self.ramp_days > 1 or self.half_life_days is not None
        if fades and (self.target == HOURS or self.feed is not None):
            return [((), "", f"{self.target} is so or not: must have no ramp and no half-life")]
        if self.target == HOURS and self.plateau_days is None:
            return [((), "", "must have plateau_days: for how long the exchange is closed")]
        return []

    def _size_faults(self) -> list[Fault]:
        if self.family == VOLATILITY and (self.times or 0.0) > MOST_VOLATILITY:
            return [(("times",), f"{self.times:g}", f"must be at most {MOST_VOLATILITY:g}")]
        if self.by is not None and self.family == FACTOR:
            return self._by_faults(self.by)
        if self.family == USDC and self.at is not None and not 0.0 < self.at <= MOST_OF_A_DOLLAR:
            rule = f"must be above 0 and at most {MOST_OF_A_DOLLAR:g}: 90 cents are written 0.90"
            return [(("at",), f"{self.at:g}", rule)]
        if self.size is None:
            return []
        if self.family == CORRELATION and not 0 < self.size <= 1:
            return [(("size",), f"{self.size:g}", "must be above 0 and at most 1, the whole way")]
        if self.size <= -1 or self.size == 0:
            rule = "must be above -1 (-100 %), which leaves nothing, and not 0"
            return [(("size",), f"{self.size:g}", rule)]
        return []

    def _by_faults(self, by: float) -> list[Fault]:
        if by == 0.0:
            return [(("by",), "0", "must not be 0")]
        if self.asset != "liquidity" and abs(by) > MOST_OF_A_RATE:
            rule = f"must be -{MOST_OF_A_RATE:g} to {MOST_OF_A_RATE:g}: 0.01 = 100 basis points"
            return [(("by",), f"{by:g}", rule)]
        return []

    def certain_faults(self) -> list[Fault]:
        """Return what would make something differ by path that is the same on all."""
        if self.when is not None:
            rule = f"is not for {self.target}, which is the same on all paths: must be on or day"
            return [(("when",), f"'{self.when}'", rule)]
        if 0.0 < self.share < 1.0:
            rule = f"must be 1: {self.target} is the same on all paths"
            return [(("share",), f"{self.share:g}", rule)]
        return []


def is_of_the_market(shock: ShockTerms) -> bool:
    """Return whether a shock hits prices or their moves, and no instrument."""
    return shock.family in FAMILIES


def struck_faults(
    shocks: Sequence[ShockTerms], offered: Mapping[str, Struck], assets: Collection[str]
) -> list[Fault]:
    """Return what shocks do to instruments that cannot be done to them.

    Parameters
    ----------
    offered : dict of str to Struck
        By `LABEL.NAME`: what can be done.
    """
    faults: list[Fault] = []
    for place, shock in enumerate(shocks):
        if is_of_the_market(shock):
            continue
        found = offered.get(shock.target)
        if found is None:
            rule = one_of(shock.target, [*targets(assets), *offered], "something to be hit")
            faults.append((("shocks", place, "target"), f"'{shock.target}'", rule))
        else:
            faults += [(("shocks", place, *at), v, r) for at, v, r in _of_struck(shock, found)]
    return faults


def _of_struck(shock: ShockTerms, found: Struck) -> list[Fault]:
    given = [name for name in AMOUNTS if getattr(shock, name) is not None]
    if bool(given) != bool(found.amounts) or len(given) > 1 or not set(given) <= set(found.amounts):
        wanted = " or ".join(found.amounts)
        rule = f"must have {wanted}, and nothing else, to say how much" if wanted else "has no size"
        return [((), "", rule)]
    if given and not found.low <= shock.amount <= found.high:
        rule = f"must be {found.low:g} to {found.high:g}: {found.about}"
        return [((given[0],), f"{shock.amount:g}", rule)]
    lasting = shock.ramp_days > 1 or shock.plateau_days or shock.half_life_days
    if lasting and not found.lasts:
        return [((), "", f"{shock.target} is done in one stroke and has no duration")]
    return shock.certain_faults() if found.is_certain else []


def shock_faults(
    shocks: Sequence[ShockTerms], assets: Collection[str], start: dt.date, horizon_days: int
) -> list[Fault]:
    """Return what shocks name that the market has not, and when nothing can come of them."""
    faults: list[Fault] = []
    names: set[str] = set()
    for place, shock in enumerate(shocks):
        here: tuple[str | int, ...] = ("shocks", place)
        faults += [((*here, *at), value, rule) for at, value, rule in _target(shock, assets)]
        faults += [((*here, *at), v, rule) for at, v, rule in _day(shock, start, horizon_days)]
        if shock.name in names:
            faults.append(((*here, "name"), f"'{shock.name}'", "is the name of another shock"))
        names.add(shock.name)
    return faults + _contradictions(shocks, start)


def _target(shock: ShockTerms, assets: Collection[str]) -> list[Fault]:
    known = targets(assets)
    faults: list[Fault] = []
    if is_of_the_market(shock) and shock.target not in known:
        rule = one_of(shock.target, known, "something that a shock can hit")
        faults.append((("target",), f"'{shock.target}'", rule))
    seen = shock.condition
    if seen is not None and seen.asset not in (*assets, *FACTORS):
        rule = f"{seen.asset} is no asset of this market: {', '.join(assets)}"
        faults.append((("when",), f"'{shock.when}'", f"{rule}; nor a factor"))
    elif seen is not None and seen.falls and seen.asset not in assets:
        rule = f"a drawdown is a price's; {seen.asset} is none"
        faults.append((("when",), f"'{shock.when}'", rule))
    return faults


def _day(shock: ShockTerms, start: dt.date, horizon_days: int) -> list[Fault]:
    step = shock.begins(start)
    if step is None or 1 <= step <= horizon_days:
        return []
    if shock.on is None:
        return [(("day",), str(step), f"must be at most {horizon_days}, the last day of the run")]
    last = start + dt.timedelta(days=horizon_days)
    return [
        (("on",), str(shock.on), f"must be after {start} and at most {last}, the run's last day")
    ]


def _contradictions(shocks: Sequence[ShockTerms], start: dt.date) -> list[Fault]:
    """Return a fault for each level that another shock of its target leaves no room for.

    That is another level, or a standstill, which begins on the same day; a standstill that lasts;
    and, where a level is held and does not move on as a price does, one that will be taken back.
    """
    faults: list[Fault] = []
    for place, shock in enumerate(shocks):
        step, stands = shock.begins(start), shock.feed == "frozen"
        if (shock.at is None and not stands) or step is None:
            continue
        field, value = ("feed", "'frozen'") if stands else ("at", f"{shock.at:g}")
        for before, other in enumerate(shocks):
            if other.target != shock.target or other is shock:
                continue
            when = _overlap(other, shock, start, listed_first=before < place)
            if when:
                does = "lets it stand still" if other.feed == "frozen" else "sets another level"
                rule = f"contradicts {other.name}, which {does} {when}"
                faults.append((("shocks", place, field), value, rule))
                break
    return faults


def _overlap(one: ShockTerms, other: ShockTerms, start: dt.date, *, listed_first: bool) -> str:
    """Return when `one` leaves no room for the level, or standstill, `other`; empty for never."""
    first, later = one.begins(start), other.begins(start)
    stands = one.feed == "frozen"
    if first is None or later is None or (one.at is None and not stands):
        return ""
    if first == later:
        both = stands and other.feed == "frozen"
        return "on the same day" if listed_first and not both else ""
    held = stands or (one.family != "price" and one.plateau_days is not None)
    if first > later or not held or other.feed == "frozen":
        return ""
    if one.plateau_days is None:
        return f"from step {first} on"
    end = first + one.ramp_days - 1 + one.plateau_days
    return f"from step {first} to {end - 1}" if later < end else ""
