"""The collection's model: its kernels against plain loops, its identities, and its chances."""

from __future__ import annotations

import math

import numpy as np
import panels
import pytest

from simulator.instruments.checks import faults_of
from simulator.instruments.gas import Gas
from simulator.instruments.solar_nft.drivers import SolarNftDrivers, draw_drivers
from simulator.instruments.solar_nft.gas import HOLDER_GAS
from simulator.instruments.solar_nft.streams import Stream, stream
from simulator.instruments.solar_nft.terms import MOST_SUN_HOURS, SolarNftTerms
from simulator.instruments.solar_nft.worth import sun_hours, tables
from simulator.market.normals import normal_paths

STEPS = 320
GAS = Gas(HOLDER_GAS, 3e-6)


@pytest.fixture(scope="module")
def liquidity() -> np.ndarray:
    moves = np.random.default_rng(3).normal(0.0, 0.1, (STEPS + 1, 128))
    return np.cumsum(moves, axis=0)


@pytest.fixture(scope="module")
def drivers(liquidity: np.ndarray) -> SolarNftDrivers:
    return panels.drawn(panels.wild(), STEPS, liquidity=liquidity, moves=0.02)


# --- Plain loops ----------------------------------------------------------------------


def revert(normals: np.ndarray, half_life: float, deviation: float, goal, start: float) -> list:
    """Return x_t = k x + (1 - k) goal_t + s z_t from `start` on, a number for each step."""
    keep = 0.5 ** (1.0 / half_life)
    shock = deviation * math.sqrt(1.0 - keep**2)
    found = [start]
    for step in range(1, len(normals)):
        found.append(keep * found[-1] + (1.0 - keep) * goal[step] + shock * normals[step])
    return found


def plain_locks(found: SolarNftTerms, odds: list[float]) -> tuple[list[int], list[int]]:
    """Return locks and unlocks so far: of 32 arrays so many are locked as the odds want."""
    locked, unlocked, ends = [], [], list[int]()
    for step, value in enumerate(odds):
        wanted = math.floor(32 / (1.0 + math.exp(-value)))
        before = unlocked[-1] if unlocked else 0
        standing = len(ends) - before
        ripe = sum(1 for end in ends[before:] if end <= step)
        left = before + min(max(0, standing - wanted), ripe)
        ends += [step + found.lock.days] * max(0, wanted - (len(ends) - left))
        locked.append(len(ends))
        unlocked.append(left)
    return locked, unlocked


@pytest.mark.parametrize("k", [0, 77])
def test_drivers__are_those_of_plain_loops(
    drivers: SolarNftDrivers, liquidity: np.ndarray, k: int
) -> None:
    found = panels.wild()
    power, weather, mood, locks = (
        normal_paths(panels.SEED, stream(number, "solar"), 0, STEPS, 128)[:, k]
        for number in list(Stream)[:4]
    )
    none, energy, panel = [0.0] * (STEPS + 1), found.energy, found.panel
    steps = np.arange(STEPS + 1)
    keep = 0.5 ** (1.0 / energy.half_life_days)
    gaps = np.array(revert(power, energy.half_life_days, energy.deviation, none, 0.0))
    half = 0.5 * energy.deviation**2 * (1.0 - keep ** (2 * steps))
    usual = math.log(energy.price_usd_per_kwh / energy.mean_usd_per_kwh) * keep**steps
    expected = energy.mean_usd_per_kwh * np.exp(gaps + usual - half)
    np.testing.assert_allclose(drivers.power_usd[:, k], expected, rtol=1e-12)

    keep = 0.5 ** (1.0 / panel.weather_half_life_days)
    spells = np.array(revert(weather, panel.weather_half_life_days, 0.3, none, 0.0))
    half = 0.5 * 0.3**2 * (1.0 - keep ** (2 * steps))
    sun = sun_hours(panel, panels.START, STEPS)
    most = sun * MOST_SUN_HOURS / (panel.kwh_per_kwp / 365 * 1.3)
    expected = np.minimum(sun * np.exp(spells - half), most)
    np.testing.assert_allclose(drivers.sun[:, k], expected, rtol=1e-12)

    goal = -0.2 + 0.3 * liquidity[:, k]
    expected = np.exp(revert(mood, 60.0, 0.3, goal, 0.4))
    np.testing.assert_allclose(drivers.mood[:, k], expected, rtol=1e-12)

    goal = math.log(0.6 / 0.4) + 0.8 * liquidity[:, k]
    odds = revert(locks, 10.0, 1.0, goal, math.log(0.4 / 0.6))
    locked, unlocked = plain_locks(found, odds)
    assert drivers.locked[:, k].tolist() == locked
    assert drivers.unlocked[:, k].tolist() == unlocked


def plain_paths(found: SolarNftTerms, drivers: SolarNftDrivers, k: int, tokens: int) -> dict:
    """Return income, exits and prices of a path by a loop over days, as docs/mechanics.md says."""
    panel, energy, lock = found.panel, found.energy, found.lock
    line, retire = tables(found, drivers.start, STEPS), panel.days_left
    own, array = tokens * panel.watts, int(found.collection_watts) // 32
    counted, fails = own * panel.site_factor, int(drivers.default_step[k])
    fleet = 32 * array + 2 * counted
    cost = (32 * array + 2 * own) / 1_000 * energy.cost_usd_per_kw_year / 365
    accrued = paid = bonus = cash = gas = 0.0
    gas_locked = GAS.usd("lock")
    rows: dict[str, list[float]] = {name: [] for name in ("paid", "bonus", "free", "locked")}
    standing, periods = 0.0, 0
    for step in range(STEPS + 1):
        power, mood, metal = (
            float(values[step, k])
            for values in (drivers.power_usd, drivers.mood, drivers.silver_usd)
        )
        gas += GAS.usd("enter") if step == 0 else 0.0
        if 0 < step <= retire:
            share = energy.price_after_default if step > fails else 1.0
            accrued += fleet / 1_000 * float(drivers.sun[step, k]) * power * share - cost
            accrued = 0.0 if step == fails else accrued
            if step <= lock.bonus_days:
                bonus += lock.bonus_usd / lock.bonus_days * own / (own + standing)
        standing = array * float(drivers.locked[step, k] - drivers.unlocked[step, k])
        ends = 0 < step <= retire and (step % energy.period_days == 0 or step == retire)
        if ends:
            periods += 1
            paid += math.floor(max(0.0, accrued) * 1e6) / 1e6 * counted / fleet
            accrued = 0.0
            claims = periods % energy.claim_every_periods == 0 or step == retire
            gas += GAS.usd("claim") if claims and step < STEPS else 0.0
        if step == retire:
            milligrams = tokens * round(panel.watts * found.silver.mg_per_watt)
            recovery = found.silver.recovery_bps / 1e4
            cash = math.floor(milligrams * recovery * metal / 31_103.4768 * 1e6) / 1e6
        base, slope = line.base[step], line.slope[step]
        if step >= fails:
            base, slope = line.base_after[step], line.slope_after[step]
        worth = own * max(0.0, base + slope * power) + tokens * line.silver[step] * metal
        dirty = worth * mood + max(0.0, accrued) * counted / fleet
        leaving = GAS.usd("leave") if dirty > 0.0 else 0.0
        unlocking = GAS.usd("unlock") if dirty > 0.0 else 0.0
        keep = (1 - 0.03) * (1 - 0.025)
        keep_locked = keep if step >= min(lock.days, retire) else 1 - lock.haircut
        rows["paid"].append(paid)
        rows["bonus"].append(bonus)
        rows["free"].append(keep * dirty + paid + cash - gas - leaving)
        rows["locked"].append(
            keep_locked * dirty + paid + cash + bonus - gas - gas_locked - leaving - unlocking
        )
    return rows


@pytest.mark.parametrize("days", [25, 300])
def test_paths__are_those_of_a_plain_loop(drivers: SolarNftDrivers, days: int) -> None:
    found = panels.wild(lock__days=days)
    free, locked, record = panels.run(found, drivers, usd=3_000.0, gas=GAS)
    assert 0 < free.happened["default"].sum() < 128
    for k in range(0, 128, 9):
        plain = plain_paths(found, drivers, k, 10)
        for name, values in (
            ("paid", record.paid),
            ("bonus", record.bonus),
            ("free", free.exit["usd"]),
            ("locked", locked.exit["usd"]),
        ):
            first = 1 if name in ("free", "locked") else 0
            np.testing.assert_allclose(
                values[first:, k], plain[name][first:], rtol=1e-10, atol=1e-9, err_msg=name
            )


def test_pots_and_silver__are_whole_units_of_usdc(drivers: SolarNftDrivers) -> None:
    """As the contract takes and pays them: a millionth of a dollar, and no part of it."""
    free, _, record = panels.run(panels.wild(), drivers, usd=3_000.0)
    whole = record.pots * 1e6
    assert np.abs(whole - np.round(whole)).max() < 1e-3
    # at the end all is cash: energy, and silver in whole units; there is no gas
    silver = (free.exit["usd"][-1] - record.paid[-1]) * 1e6
    assert silver.min() > 0.0
    assert np.abs(silver - np.round(silver)).max() < 1e-3
    # what the rounding of each pot takes is nobody's: a source has what was paid, on every path
    safe, energy = ~free.happened["default"], panels.of(free, "energy_income")
    assert safe.sum() > 16
    np.testing.assert_allclose(energy[safe], record.paid[-1][safe], rtol=0.0, atol=1e-10)


# --- Identities ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lock__days": 400},
        {"panel__age_years": 1.0},
        {"panel__age_years": 1.0, "energy__cost_usd_per_kw_year": 200.0},
        {"silver__mg_per_watt": 0.0},
    ],
    ids=["wild", "locked to the end", "does not retire", "worth nothing", "without silver"],
)
def test_identities__of_both_positions__hold(liquidity: np.ndarray, changes: dict) -> None:
    found = panels.wild(**changes)
    fresh = panels.drawn(found, STEPS, liquidity=liquidity, moves=0.02)
    free, locked, _ = panels.run(found, fresh, usd=900.0, gas=GAS)
    assert faults_of(free) == []
    assert faults_of(locked) == []


def test_first_day__is_what_was_put_in() -> None:
    """1,000 dollars buy three whole tokens of 300: these are the position."""
    found = panels.terms()
    for paths in panels.run(found, panels.drawn(found, 30), usd=1_000.0)[:2]:
        assert (paths.initial["usd"] == 900.0).all()
        assert (paths.mark["usd"][0] == 900.0).all()
        assert (paths.exit["usd"][0] == 900.0).all()


def test_token__is_one_at_least__and_whole() -> None:
    found = panels.terms()
    assert [found.tokens(usd) for usd in (1.0, 299.99, 300.0, 599.0, 3_000.0)] == [1, 1, 1, 1, 10]
    # 0.1 is no binary number: three of it are still three
    assert panels.terms(issue_price_usd=0.1).tokens(0.3) == 3


def test_more_tokens__earn_in_proportion_but_for_their_own_weight() -> None:
    """Two positions of 10 tokens are 8 of 328 kW: each earns what one of 328 kW does."""
    found = panels.terms()
    drivers = panels.drawn(found, 90)
    small, large = (panels.run(found, drivers, usd=usd)[2].paid[-1] for usd in (300.0, 3_000.0))
    np.testing.assert_allclose(large, 10 * small, atol=1e-5)


def test_days__are_not_made_unless_asked_for() -> None:
    found = panels.terms()
    free, locked, _ = panels.run(found, panels.drawn(found, 30), daily=False)
    assert free.daily is None
    assert locked.daily is None


# --- Chances --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many() -> SolarNftDrivers:
    found = panels.terms(
        panel__weather_deviation=0.3,
        energy__deviation=0.25,
        energy__default_hazard=0.5,
        energy__price_usd_per_kwh=0.08,
        buyers__mood_deviation=0.3,
        lock__share_deviation=0.5,
    )
    return panels.drawn(found, 365, n_paths=4_096)


def within(values: np.ndarray, expected: float) -> bool:
    """Return whether a mean lies within four standard errors of what is expected."""
    error = values.std() / math.sqrt(values.size)
    return bool(abs(values.mean() - expected) < 4.0 * error)


def test_power_price__has_the_mean_that_reverts(many: SolarNftDrivers) -> None:
    """E p = 0.05 (0.08 / 0.05)^k: with half of a gap in 120 days, k = 0.5^(t / 120)."""
    assert many.power_usd[0] == pytest.approx(0.08)
    for step in (1, 120, 365):
        expected = 0.05 * 1.6 ** (0.5 ** (step / 120))
        assert within(many.power_usd[step], expected)
    # after three half-lives the deviation is that of the long run but for an eighth squared
    spread = np.log(many.power_usd[365]).std()
    assert spread == pytest.approx(0.25 * math.sqrt(1 - 0.5 ** (2 * 365 / 120)), rel=0.04)


def test_weather__leaves_the_years_energy_as_stated(many: SolarNftDrivers) -> None:
    """Each day's mean is 1,500 / 365 kWh, but for the few that would be brighter than any."""
    assert within(many.sun[200], 1_500 / 365)
    assert many.sun.max() <= MOST_SUN_HOURS
    assert np.log(many.sun[200]).std() == pytest.approx(0.3, rel=0.04)


def test_mood__of_the_long_run_has_its_deviation(many: SolarNftDrivers) -> None:
    logs = np.log(many.mood[365])
    assert within(logs, 0.0)
    assert logs.std() == pytest.approx(0.3 * math.sqrt(1 - 0.5 ** (2 * 365 / 60)), rel=0.04)


def test_default__strikes_as_often_as_its_hazard_says(many: SolarNftDrivers) -> None:
    share = 1.0 - math.exp(-0.5)
    error = math.sqrt(share * (1.0 - share) / 4_096)
    found = (many.default_step <= 365).mean()
    assert abs(found - share) < 4.0 * error


def test_locks__stand_for_their_time_and_never_exceed_the_arrays(many: SolarNftDrivers) -> None:
    standing = many.locked - many.unlocked
    assert standing.min() >= 0
    assert standing.max() <= 32
    assert (np.diff(many.locked, axis=0) >= 0).all()
    # who unlocks by day t locked by day t - 90
    assert (many.unlocked[90:] <= many.locked[:-90]).all()
    assert not many.unlocked[:90].any()
    assert many.unlocked[-1].max() > 0


def test_liquidity__lifts_price_and_locks() -> None:
    """One s.d. adds 0.5 to the log gap and 1 to the log odds in the long run."""
    found = panels.terms(buyers__mood_per_liquidity=0.5, lock__share_per_liquidity=1.0)
    one = np.ones((STEPS * 3 + 1, 128))
    drivers = panels.drawn(found, STEPS * 3, liquidity=one)
    assert drivers.mood[-1] == pytest.approx(math.exp(0.5), rel=1e-4)
    odds = 0.1 / 0.9 * math.e
    assert (drivers.locked - drivers.unlocked)[-1] == pytest.approx(
        math.floor(32 * odds / (1 + odds))
    )


def test_needs__liquidity_only_where_somebody_follows_it() -> None:
    assert panels.terms().needs().factors == ()
    assert panels.terms(buyers__mood_per_liquidity=0.5).needs().factors == ("liquidity",)
    assert panels.terms(lock__share_per_liquidity=0.5).needs().factors == ("liquidity",)


def test_draws__depend_on_the_label_alone() -> None:
    found = panels.terms(buyers__mood_deviation=0.3)
    here, again = (panels.drawn(found, 30) for _ in range(2))
    other = panels.drawn(found, 30, label="another")
    assert (here.mood == again.mood).all()
    assert not (here.mood[1:] == other.mood[1:]).any()


def test_draws__are_the_same_in_blocks() -> None:
    found = panels.wild()
    metal = panels.silver(40, moves=0.01, n_paths=256)
    liquid = np.zeros_like(metal)
    whole = draw_drivers(found, "solar", panels.START, metal, liquid, panels.SEED, 0)
    second = draw_drivers(
        found, "solar", panels.START, metal[:, 128:], liquid[:, 128:], panels.SEED, 128
    )
    for name in ("power_usd", "sun", "mood", "silver_usd", "locked", "unlocked"):
        assert (getattr(whole, name)[:, 128:] == getattr(second, name)).all()
    assert (whole.default_step[128:] == second.default_step).all()
