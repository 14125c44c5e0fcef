"""The most extreme days, years and falls of everything in a scenario, over all its paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.engine.blocks import Span, in_order, spans
from simulator.investors.portfolio import Wanted
from simulator.investors.world import each_investor, simulate_instruments
from simulator.market.build import market_spec
from simulator.market.paths import own_block
from simulator.measures import Extremes, extremes_of, most_extreme
from simulator.scenario.calibration import Calibration
from simulator.scenario.models import Scenario
from simulator.units import FloatArray


def scenario_extremes(
    scenario: Scenario,
    calibration: Calibration,
    *,
    workers: int | None = None,
    on_block: Callable[[int], None] = lambda paths: None,
) -> dict[str, dict[str, Extremes]]:
    """Return the extremes of assets, instruments and investors, each by name.

    Instruments and investors are valued in dollars at mark, with all cash received so far.

    Parameters
    ----------
    workers : int, optional
        Threads; by default one for each core. The results do not depend on it.
    on_block : callable
        Called with the number of paths of each finished block.
    """
    spec = market_spec(scenario, calibration)

    def run(span: Span) -> dict[str, dict[str, Extremes]]:
        block = own_block(spec, span.padded)
        world = simulate_instruments(
            scenario, spec, span.first, span.padded, by_source=False, block=block
        )

        def of(values: Mapping[str, FloatArray]) -> dict[str, Extremes]:
            return {name: extremes_of(v[:, : span.count], span.first) for name, v in values.items()}

        wanted = Wanted(sources=False, shares=False, days=False)
        investors = each_investor(scenario, world, count=span.count, wanted=wanted)
        return {
            "assets": of(world.market.prices),
            "instruments": of({n: paths.mark["usd"] for n, paths in world.instruments.items()}),
            "investors": of({name: paths.holding.mark["usd"] for name, paths in investors}),
        }

    found = []
    for span, block in zip(
        spans(scenario.paths), in_order(run, spans(scenario.paths), workers), strict=True
    ):
        found.append(block)
        on_block(span.count)
    return {
        group: {name: most_extreme([b[group][name] for b in found]) for name in names}
        for group, names in found[0].items()
    }
