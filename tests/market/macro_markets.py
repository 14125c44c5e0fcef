"""Markets of the macro model for the tests, and one path of it in plain Python."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from markets import draw_reference, normals_reference, uniform_reference
from ten_assets import ASSETS, DRIFTS, scenario_of, ten_assets

from simulator.market.build import market_spec
from simulator.market.dynamics import MarketSpec, fill
from simulator.market.macro.names import N_RECORDED, N_STATES, PARTS
from simulator.market.paths import empty_block, factors_of
from simulator.market.streams import Stream
from simulator.scenario.macro import REGIMES, MacroCalibration
from simulator.scenario.views import MacroParts

SEED = 20260120
OFF = dict.fromkeys(MacroParts.model_fields, False)


def only(*names: str) -> dict[str, bool]:
    """Return the parts with these alone on."""
    return OFF | dict.fromkeys(names, True)


def macro_spec(assets=ASSETS, *, figures=None, parts=None, views=None, days=365, drifts=DRIFTS):
    """Return the market of a scenario of the macro model."""
    scenario = scenario_of(
        assets, days=days, drifts=drifts, model="macro", parts=parts or {}, views=views or {}
    )
    return market_spec(scenario, ten_assets(figures))


def changed(**groups) -> MacroCalibration:
    """Return the default figures with values changed: changed(ratio={"speed": 0.5})."""
    data = MacroCalibration().model_dump()
    for group, values in groups.items():
        for name, value in values.items():
            node = data[group]
            *path, last = name.split(".")
            for part in path:
                node = node[part]
            if isinstance(node[last], dict):
                node[last]["value"] = value
            else:
                node[last] = value
    return MacroCalibration.model_validate(data)


@dataclass
class Sample:
    """Paths of a market: blocks joined, and what of them was recorded."""

    spec: MarketSpec
    last: np.ndarray
    recorded: np.ndarray
    factors: dict[str, np.ndarray]

    def growth(self, asset: str) -> np.ndarray:
        """Return ln(S_T / S_0), shape (n_paths,)."""
        index = self.spec.assets.index(asset)
        return np.log(self.last[index] / self.spec.spot[index])

    def part(self, asset: str, name: str) -> np.ndarray:
        """Return a part of an asset's drift, shape (n_paths,)."""
        return self.recorded[self.spec.assets.index(asset), PARTS.index(name)]


def sample(spec: MarketSpec, n_paths: int, *, days=(-1,), with_factors=True) -> Sample:
    """Return last prices, parts of the drift, and factors on some days."""
    block = empty_block(spec)
    n_block = block.shape[2]
    states = np.empty((N_STATES + 1, spec.n_steps + 1, n_block))
    recorded = np.empty((len(spec.assets), N_RECORDED, n_block))
    last, parts, factors = [], [], []
    for first in range(0, n_paths, n_block):
        wanted = {"states": states} if with_factors else {}
        fill(spec, SEED, first, block, recorded=recorded, **wanted)
        last.append(block[:, -1].copy())
        parts.append(recorded.copy())
        if with_factors:
            found = factors_of(spec, states, block)
            factors.append({name: values[list(days)] for name, values in found.items()})
    names = factors[0] if with_factors else ()
    return Sample(
        spec,
        np.concatenate(last, axis=-1),
        np.concatenate(parts, axis=-1),
        {name: np.concatenate([f[name] for f in factors], axis=-1) for name in names},
    )


def block_of(spec: MarketSpec, n_paths: int = 128, first_path: int = 0) -> np.ndarray:
    block = empty_block(spec, n_paths)
    fill(spec, SEED, first_path, block)
    return block


def shared_growth(spec: MarketSpec) -> np.ndarray:
    """Return base, views and convexity up to the last trading day, shape (n_assets,)."""
    years = np.array([np.flatnonzero(row)[-1] for row in spec.trading]) * spec.year_fraction
    plan = spec.macro_plan
    views = sum((path[:, -1] for path in plan.views.values()), np.zeros(len(spec.assets)))
    return spec.drift * years + views + plan.convexity[:, -1]


def normal(stream: int, step: int, path: int) -> float:
    a, b, c, d = draw_reference(SEED, step // 4, stream, path)
    return (normals_reference(a, b) + normals_reference(c, d))[step % 4]


class PlainPath:
    """One path of the macro model, by its equations, a day at a time.

    Written from docs/market.md; no array of the kernel is used but the shared drift (views and
    convexity, which have tests of their own).
    """

    def __init__(self, spec: MarketSpec, path: int) -> None:
        self.spec, self.path, self.figures = spec, path, spec.macro.figures
        self.dt = spec.year_fraction
        n_assets = len(spec.assets)
        self.prices = np.empty((n_assets, spec.n_steps + 1))
        self.prices[:, 0] = spec.spot
        self.parts = {(a, p): 0.0 for a in spec.assets for p in PARTS}
        self.regimes = [REGIMES.index(self.figures.regimes.start)]

    def run(self) -> PlainPath:
        spec, plan = self.spec, self.spec.macro_plan
        self._begin()
        shared = spec.drift[:, None] * 0 + plan.convexity
        shared = shared + sum(plan.views.values(), np.zeros_like(shared))
        last = dict.fromkeys(spec.assets, 0)
        for step in range(1, spec.n_steps + 1):
            self._switch(step)
            self._move_factors(step)
            shocks = self._shocks(step)
            before = self.prices[:, step - 1].copy()
            for i, asset in enumerate(spec.assets):
                self.prices[i, step] = before[i]
                if not spec.trading[i, step]:
                    continue
                years = (step - last[asset]) * self.dt
                drift = spec.drift[i] * years + shared[i, step] - shared[i, step - 1]
                drift += plan.technical[i] + self._news(asset, years, before)
                last[asset] = step
                move = self._move(i, asset, shocks[i]) + self._events(i, asset, step)
                self.prices[i, step] *= math.exp(drift + move)
        return self

    def _begin(self) -> None:
        f = self.figures
        self.rate, self.inflation = f.real_rate.start.value, f.inflation.start.value
        self.liquidity = f.liquidity.start.value
        self.bought = math.log(f.central_banks.purchases.start.value)
        self.sold = math.log(f.central_banks.sales.start.value)
        self.quantity = dict.fromkeys(
            ("industrial", "jewellery", "investment", "silver", "demand", "copper"), 0.0
        )
        self.driver = dict.fromkeys(("rate", "level", "banks", "liquid", "nominal"), 0.0)
        self.silver = self.copper = 0.0
        self.landed: dict[str, dict[str, float]] = {}
        self.short = 0.0
        self.variance = np.array(self.spec.tables.garch[:, 4], dtype=float)

    def _ornstein(self, x, mean, speed, volatility, stream, step):
        decay = math.exp(-speed * self.dt)
        deviation = volatility * math.sqrt((1 - decay**2) / (2 * speed))
        news = deviation * normal(stream, step, self.path)
        return mean + (x - mean) * decay + news, news

    def _switch(self, step: int) -> None:
        now = self.regimes[-1]
        if self.spec.macro.parts.regimes:
            word = draw_reference(SEED, step // 4, Stream.REGIME, self.path)[step % 4]
            uniform, total = (word + 0.5) / 2**32, 0.0
            transition = self.spec.macro_plan.chain.transition
            for other in range(4):
                if other != now:
                    total += transition[now, other]
                    if uniform < total:
                        now = other
                        break
        self.regimes.append(now)

    def _state(self):
        return self.figures.regimes.state(REGIMES[self.regimes[-1]])

    def _move_factors(self, step: int) -> None:
        f, on = self.figures, self.spec.macro.parts.regimes
        r, pi = f.real_rate, f.inflation
        mean = r.long_run.value + (self._state().real_rate_shift.value if on else 0.0)
        self.rate, news = self._ornstein(
            self.rate, mean, r.speed.value, r.volatility.value, Stream.REAL_RATE, step
        )
        self.driver["rate"] += 100 * news
        self.inflation, _ = self._ornstein(
            self.inflation,
            pi.long_run.value,
            pi.speed.value,
            pi.volatility.value,
            Stream.INFLATION,
            step,
        )
        self._move_banks(step)
        self._move_balances(step)
        speed = f.liquidity.speed.value
        self.liquidity, _ = self._ornstein(
            self.liquidity, 0.0, speed, math.sqrt(2 * speed), Stream.LIQUIDITY, step
        )
        shift = self._state().liquidity_shift.value if on else 0.0
        usual = self.spec.macro_plan.expected.values[:, step]
        way = 10 * pi.speed.value
        over_ten_years = pi.long_run.value + (self.inflation - pi.long_run.value) * (
            (1 - math.exp(-way)) / way
        )
        nominal = self.rate + over_ten_years
        self.driver["level"] += self.dt * (100 * (nominal - self.inflation) - usual[1])
        net = math.exp(self.bought) - math.exp(self.sold)
        self.driver["banks"] += self.dt * (net / 100 - usual[2])
        self.driver["liquid"] += self.dt * (self.liquidity + shift - usual[5])
        self.driver["nominal"] += self.dt * (nominal - usual[6])

    def _move_banks(self, step: int) -> None:
        banks = self.figures.central_banks
        for name, flow, stream in (
            ("bought", banks.purchases, Stream.PURCHASES),
            ("sold", banks.sales, Stream.SALES),
        ):
            speed, volatility = flow.speed.value, flow.volatility.value
            mean = math.log(flow.mean.value) - volatility**2 / (4 * speed)
            moved, _ = self._ornstein(getattr(self, name), mean, speed, volatility, stream, step)
            setattr(self, name, moved)

    def _move_balances(self, step: int) -> None:
        silver, copper = self.figures.silver, self.figures.copper
        terms = {
            "industrial": (silver.industrial, Stream.SILVER_INDUSTRIAL),
            "jewellery": (silver.jewellery, Stream.SILVER_JEWELLERY),
            "investment": (silver.investment, Stream.SILVER_INVESTMENT),
            "silver": (silver.supply, Stream.SILVER_SUPPLY),
            "demand": (copper.demand, Stream.COPPER_DEMAND),
            "copper": (copper.supply, Stream.COPPER_SUPPLY),
        }
        q = self.quantity
        for name, (quantity, stream) in terms.items():
            speed, volatility = quantity.speed.value, quantity.volatility.value
            q[name], _ = self._ornstein(q[name], 0.0, speed, volatility, stream, step)
        rate = 4 * copper.outage_rate.value * self.dt
        size = (copper.outage_size.value, copper.outage_deviation.value)
        q["copper"] -= jumps(Stream.OUTAGE, step, self.path, rate, size)
        levels = [silver.industrial, silver.jewellery, silver.investment]
        total = sum(part.level.value for part in levels)
        demand = sum(
            part.level.value / total * q[name]
            for name, part in zip(("industrial", "jewellery", "investment"), levels, strict=True)
        )
        usual = self.spec.macro_plan.expected.values[:, step]
        self.silver = demand - q["silver"] - usual[3]
        self.copper = q["demand"] - q["copper"] - usual[4]

    def _news(self, asset: str, years: float, before: np.ndarray) -> float:
        """Return what the channels add on a trading day, and keep it by part."""
        f, e = self.figures, self.figures.elasticities
        now = self.driver | {"silver": self.silver, "copper": self.copper}
        then = self.landed.get(asset, dict.fromkeys(now, 0.0))
        since = {name: now[name] - then[name] for name in now}
        self.landed[asset] = now
        gold = e.gold_beta[asset].value if asset in e.gold_beta else float(asset == "gold")
        copper = e.copper_beta[asset].value if asset in e.copper_beta else float(asset == "copper")
        rate = gold * e.real_rate["gold"].value
        if asset == "silver":
            rate = e.real_rate["silver"].value
        money = f.liquidity.money_growth_deviation.value
        liquid = e.liquidity[asset].value if asset in e.liquidity else 0.0
        rotated = e.rotation[asset].value if asset in e.rotation else 0.0
        silver_sum = f.silver.supply_elasticity.value + f.silver.demand_elasticity.value
        copper_sum = f.copper.supply_elasticity.value + f.copper.demand_elasticity.value
        added = {
            "real_rate": rate * since["rate"],
            "real_rate_level": gold * e.real_rate_level["gold"].value * since["level"],
            "central_banks": gold * e.central_banks["gold"].value * since["banks"],
            "silver_balance": (asset == "silver") * since["silver"] / silver_sum,
            "copper_balance": copper * since["copper"] / copper_sum,
            "liquidity": money * liquid * since["liquid"],
            "rotation": rotated * since["liquid"],
            "bill_rate": (asset == "treasury_bills") * since["nominal"],
        }
        if asset == "silver" and "gold" in self.spec.assets:
            ratio = (
                before[self.spec.assets.index("gold")] / before[self.spec.assets.index("silver")]
            )
            gap = math.log(ratio / f.ratio.equilibrium.value)
            added["ratio_pull"] = f.ratio.speed.value * years * gap
        if asset == "copper":
            back = f.copper.reversion_speed.value * years * self.short
            self.short -= back
            added["copper_reversion"] = -back
        for name, value in added.items():
            self.parts[asset, name] += value * getattr(self.spec.macro.parts, name)
        return sum(value * getattr(self.spec.macro.parts, n) for n, value in added.items())

    def _shocks(self, step: int) -> np.ndarray:
        spec = self.spec
        normals = [normal(Stream[a.upper()], step, self.path) for a in spec.assets]
        shocks = spec.tables.mixing.astype(float) @ np.array(normals)
        if spec.macro.parts.regimes and REGIMES[self.regimes[-1]] == "stress":
            given = self.figures.regimes.stress_loadings
            b = np.array([given[a].value if a in given else 0.0 for a in spec.assets])
            shocks = np.sqrt(1 - b**2) * shocks + b * normal(Stream.STRESS, step, self.path)
        scale = np.empty(len(spec.assets))
        for i, dof in enumerate(spec.dofs.tolist()):
            product = 1.0
            for factor in range(dof // 2):
                counter = 2**16 * factor + step // 4
                word = draw_reference(SEED, counter, Stream.CHI_SQUARE, self.path)[step % 4]
                product *= uniform_reference(word)
            scale[i] = math.sqrt((dof - 2) / (-2 * math.log(product)))
        return np.clip(shocks * scale, -15, 15)

    def _move(self, i: int, asset: str, shock: float) -> float:
        omega, alpha, gamma, beta, _, bound, largest = self.spec.tables.garch[i].astype(float)
        h = self.variance[i]
        e = min(max(math.sqrt(h) * shock, -largest), largest)
        news = min(max(shock, -6), 6) ** 2 * h
        self.variance[i] = min(omega + (alpha + gamma * (e < 0)) * news + beta * h, bound)
        m = min(self.spec.macro_plan.chain.volatility[self.regimes[-1]], math.sqrt(bound / h))
        e = min(max(m * e, -largest), largest)
        if asset == "copper":
            f = self.figures.copper
            short, long = f.short_volatility.value**2, f.long_volatility.value**2
            self.short += short / (short + long) * e
        return e - m**2 * h / 2

    def _events(self, i: int, asset: str, step: int) -> float:
        spec = self.spec
        if not spec.macro.parts.event_jumps:
            return 0.0
        share = self.figures.event_share.value
        rate = 4 * share * spec.jumps.intensity[i] / spec.periods_per_year[i]
        stream = Stream[f"{asset.upper()}_JUMP"]
        return jumps(stream, step, self.path, rate, (spec.jumps.mean[i], spec.jumps.sd[i]))


def jumps(stream: int, step: int, path: int, rate: float, size: tuple[float, float]) -> float:
    """Return the sum of a day's jumps; `rate` is that of four days."""
    from scipy import stats

    group = step // 4
    word = draw_reference(SEED, group // 4, stream, path)[group % 4]
    total = 0.0
    for j in range(int(stats.poisson.isf((word + 0.5) / 2**32, rate))):
        a, b, c, _ = draw_reference(SEED, 2**31 + 16 * group + j, stream, path)
        if c >> 30 == step % 4:
            total += size[0] + size[1] * normals_reference(a, b)[0]
    return total


def halved(spec: MarketSpec) -> MarketSpec:
    """Return the market with two steps a day."""
    trading = np.repeat(spec.trading[:, 1:], 2, axis=1)
    return replace(
        spec,
        n_steps=2 * spec.n_steps,
        year_fraction=spec.year_fraction / 2,
        periods_per_year=2 * spec.periods_per_year,
        trading=np.concatenate([spec.trading[:, :1], trading], axis=1),
        garch=replace(spec.garch, variance_start=spec.garch.variance_start / 2),
    )
