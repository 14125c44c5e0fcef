"""What shocks do to a vault: an exploit, a run, borrowers who stay away; model and contract."""

from __future__ import annotations

import numpy as np
import pytest
from paths import replay

from simulator.errors import InputError
from simulator.instruments.gold_vault.paths import report_days
from simulator.instruments.gold_vault.state import Action
from simulator.investors.world import simulate_block
from simulator.market.build import market_spec
from simulator.scenario import load_scenario

DAY = 20
QUIET = (
    "instruments.gold_vault.exploit_hazard=0",
    "instruments.gold_token.shortfall_hazard=0",
    "instruments.gold_vault.borrowers.demand_share=0.5",
    "horizon_days=60",
    "paths=256",
)


def world(*shocks, overrides=QUIET, record=False):
    """Return the sober scenario's vault on 128 paths."""
    listed = ", ".join(f"{{name: s{k}, {shock}}}" for k, shock in enumerate(shocks))
    more = (f"shocks=[{listed}]",) if shocks else ()
    loaded = load_scenario("gold-vault-sober", overrides=(*overrides, *more))
    spec = market_spec(loaded.scenario, loaded.calibration)
    return simulate_block(loaded.scenario, spec, 0, 128, record=record)


EXPLOIT = f"target: gold_vault.exploit, day: {DAY}, size: 0.3"
RUN = f"target: gold_vault.run, day: {DAY}, size: 0.4"
SHY = f"target: gold_vault.demand, day: {DAY}, size: 1"
JUMP = f"target: price.gold, day: {DAY}, size: 0.7, others: stay"
KEEPER = f"target: gold_vault.keeper, day: {DAY}, plateau_days: 7"
REPORTS = f"target: gold_vault.reports, day: {DAY}, plateau_days: 7"


def test_exploit__takes_the_stated_share_of_all_assets_on_its_day():
    # 5 % lie idle, a fifth in the pool and half is lent, so three tenths can be had
    held = world(EXPLOIT).instruments["gold_vault"]
    assert np.all(held.events >= 1)
    lost = held.attribution["ounces"][[s.name for s in held.sources].index("exploit")]
    before = held.mark["ounces"][DAY - 1]
    # the day's own income and the pool's moves lie between the two closes
    assert lost == pytest.approx(-0.3 * before, rel=0.02)


def test_exploit__of_which_the_first_counts():
    hazard = ("instruments.gold_vault.exploit_hazard=10", *QUIET[1:])
    own = world(overrides=hazard).played["gold_vault"].drivers
    both = world(EXPLOIT, overrides=hazard).played["gold_vault"].drivers
    first = own.exploit_step <= DAY
    assert 0 < first.sum() < 128
    assert np.array_equal(both.exploit_step[first], own.exploit_step[first])
    assert np.all(both.exploit_share[first] == 0.8)
    assert np.all(both.exploit_step[~first] == DAY)
    assert np.all(both.exploit_share[~first] == 0.3)


def test_run__is_the_crowds_flow_of_that_day():
    drivers, plain = (w.played["gold_vault"].drivers for w in (world(RUN), world()))
    assert np.all(drivers.flow[DAY] == -0.4)
    others = np.arange(61) != DAY
    assert np.array_equal(drivers.flow[others], plain.flow[others])


def test_demand__is_gone_from_the_day_on():
    drivers, plain = (w.played["gold_vault"].drivers for w in (world(SHY), world()))
    assert np.all(drivers.demand_ounces[DAY:] == 0.0)
    assert np.array_equal(drivers.demand_ounces[:DAY], plain.demand_ounces[:DAY])


def liquidated(*shocks):
    """Return how many of the eight cohorts are liquidated, shape (n_steps + 1, n_paths)."""
    record = world(*shocks, record=True).played["gold_vault"].record
    return record.actions[..., Action.LIQUIDATE : Action.LIQUIDATE + 8].sum(axis=-1)


def test_keeper__who_is_away_liquidates_nobody__and_on_his_return_whoever_is_due():
    # debts are gold: up by 70 %, loans at 65 % of their collateral and the three above them are
    # worth more than it; nothing less brings them beyond their threshold of 86 %;
    # while nobody comes they stand still, and on the seventh day they still are there
    plain, late = liquidated(JUMP), liquidated(JUMP, KEEPER)
    assert np.all(plain[DAY] >= 4)
    assert not late[DAY : DAY + 7].any()
    assert np.all(late[DAY + 7] >= 4)


def test_reports__that_are_late__leave_the_share_price_where_it_is_and_come_all_at_once():
    # nobody deposits or is paid rewards, and what is reported is free at once: only reports move
    # the price; borrowers pay on, so the eighth report brings what eight would have
    still = (
        *QUIET,
        "instruments.gold_vault.flow_deviation=0",
        "instruments.gold_vault.flow_momentum=0",
        "instruments.gold_vault.profit_unlock_days=0",
        "instruments.gold_vault.emissions.tokens_per_day=0",
        "instruments.gold_vault.pool=null",
        "instruments.gold_vault.pool_share=0",
        "instruments.gold_pool=null",
    )
    plain, late = (
        world(*shocks, overrides=still).instruments["gold_vault"].mark["ounces"]
        for shocks in ((), (REPORTS,))
    )
    assert np.array_equal(late[:DAY], plain[:DAY])
    assert np.all(np.ptp(late[DAY - 1 : DAY + 7], axis=0) == 0.0)
    assert np.all(np.diff(plain[DAY - 1 : DAY + 7], axis=0) > 0.0)
    assert np.allclose(late[DAY + 7], plain[DAY + 7], rtol=1e-5, atol=0.0)


def test_reports__are_late_on_all_paths_alike():
    with pytest.raises(InputError, match="reports is the same on all paths"):
        world(f"{REPORTS}, share: 0.5")


@pytest.mark.parametrize(
    ("every", "late", "due"),
    [
        (1, range(3, 5), [0, 1, 2, 5, 6, 7]),
        # those of day 3 and 6 fall due on day 7; that of day 6 alone waits as well
        (3, range(3, 7), [0, 7]),
        (3, range(6, 9), [0, 3]),
        (3, (), [0, 3, 6]),
    ],
)
def test_report_days__what_is_late_is_done_on_the_first_day_after(every, late, due):
    away = np.isin(np.arange(9), list(late)) if len(late) else np.zeros(0, bool)
    assert np.flatnonzero(report_days(every, 8, away)).tolist() == due


@pytest.mark.parametrize("shock", [EXPLOIT, RUN, SHY, REPORTS, f"{JUMP}}}, {{name: t, {KEEPER}"])
def test_replay__agrees_on_the_path_of_a_shock(shock):
    assert replay(None, 3, *QUIET, f"shocks=[{{name: s, {shock}}}]").ok


def test_promised_yield__is_what_the_first_days_emissions_pay():
    # 9 % a year of 20,000 ounces at the first price, in tokens of a dollar
    promised = ("instruments.gold_vault.emissions={promised_yield: 0.09}", *QUIET)
    drivers = world(overrides=promised).played["gold_vault"].drivers
    price = drivers.prices.metal_usd[0, 0]
    # rewards are notified for a week at a time
    assert drivers.reward_tokens[0] == pytest.approx(7 * 0.09 * 20_000 * price / 365, rel=1e-12)


def test_promised_yield__beside_tokens__is_refused():
    both = "instruments.gold_vault.emissions={promised_yield: 0.09, tokens_per_day: 5}"
    with pytest.raises(InputError, match="must not stand beside promised_yield"):
        world(overrides=(both, *QUIET))
