"""Bad terms of a perpetual: one line with file, line, field, value and rule."""

from __future__ import annotations

import pytest
from scenario_text import refused

from simulator.errors import InputError
from simulator.scenario import load_scenario
from simulator.scenario.files import shipped_folder

READY = (shipped_folder() / "silver-perp.yaml").read_text(encoding="utf-8")
PERP = "instruments.silver_perp"
TRADER = "long_3x: {side: long, leverage: 3, margin_usd: 10_000}"
STOPPED = "long_3x_stop_20: {side: long, leverage: 3, margin_usd: 10_000, stop_loss: 0.2}"
COHORT = "followers: {side: long, notional_share: {value: 0.4, mark: assumption}, leverage: 5,"

CASES = {
    "leverage above the maximum": (
        TRADER,
        TRADER.replace("leverage: 3", "leverage: 11"),
        f"{PERP}.traders.long_3x.leverage is 11; must be at most 10, 1 / market.initial_margin",
    ),
    "stop on the wrong side": (
        STOPPED,
        STOPPED.replace("0.2}", "-0.2}"),
        f"{PERP}.traders.long_3x_stop_20.stop_loss is -0.2; must be above 0 and below 1 "
        "(1 = 100 %)",
    ),
    "stop beyond liquidation": (
        STOPPED,
        STOPPED.replace("0.2}", "0.96}"),
        # (1 - 0.02 x 3) / (1 - 0.02) = 0.9592
        f"{PERP}.traders.long_3x_stop_20.stop_loss is 0.96; must be below 0.9592: beyond it the "
        "position is liquidated first",
    ),
    "maintenance above initial margin": (
        "maintenance_margin: {value: 0.02,",
        "maintenance_margin: {value: 0.1,",
        f"{PERP}.market.maintenance_margin is 0.1; must be below initial_margin 0.1",
    ),
    "weights that do not sum to 1": (
        "miner_weight: {value: 0.5,",
        "miner_weight: {value: 0.6,",
        f"{PERP}.index.miner_weight is 0.6; must be 0.5: weights sum to 1, not to 1.1",
    ),
    "maker above taker": (
        "maker_fee: {value: 0.0002,",
        "maker_fee: {value: 0.0007,",
        f"{PERP}.market.maker_fee is 0.0007; must be at most taker_fee 0.0006",
    ),
    "keeper's fee above what the least position leaves": (
        "keeper_fee_usd: {value: 1,",
        "keeper_fee_usd: {value: 1.01,",
        # 2 % of 100 dollars, by two
        f"{PERP}.market.keeper_fee_usd is 1.01; must be at most 1, half of maintenance_margin x "
        "min_notional_usd",
    ),
    "margin above open interest": (
        TRADER,
        TRADER.replace("10_000", "10_000_001"),
        f"{PERP}.traders.long_3x.margin_usd is 10000001; must be at most 10000000: open interest "
        "is limited",
    ),
    "margin of next to nothing": (
        TRADER,
        TRADER.replace("10_000", "5"),
        f"{PERP}.traders.long_3x.margin_usd is 5; is too small beside min_notional_usd and "
        "keeper_fee_usd",
    ),
    "a trader called pool": (
        TRADER,
        TRADER.replace("long_3x:", "pool:"),
        f"{PERP}.traders.pool: is what the providers' position is called; must be another",
    ),
    "a cohort that could not open again": (
        COHORT,
        COHORT.replace("leverage: 5", "leverage: 9"),
        f"{PERP}.crowd.cohorts.followers.leverage is 9; must be at most 8, 0.8 x 1 / "
        "market.initial_margin",
    ),
    "a cohort above open interest": (
        COHORT,
        COHORT.replace("0.4", "1.6"),
        f"{PERP}.crowd.cohorts.followers.notional_share is 1.6; must be at most "
        "market.max_open_interest 1.5",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_terms__are_refused_with_file_line_and_rule(tmp_path, case: str) -> None:
    old, new, message = CASES[case]
    assert READY.count(old) == 1, old
    line = READY[: READY.index(old)].count("\n") + 1
    assert refused(tmp_path, READY.replace(old, new)) == [f"own.yaml:{line}: {message}"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("gap={day: 366, move: -0.3}", "gap.day is 366; must be at most horizon_days 365"),
        ("gap={day: 3, move: -1}", r"gap.move is -1; must be above -1 and at most 10"),
        ("index.miner=null", r"index.miner:? is required where miner_weight is above 0"),
        ("market.adl_target=0.7", "adl_target is 0.7; must be below adl_trigger 0.7"),
        ("market.adl_trigger=0.9", "adl_trigger is 0.9; must be at most max_profit 0.8"),
        ("market.protocol_share=0.95", "protocol_share is 0.95; must be at most 0.9"),
    ],
)
def test_set__of_what_cannot_be__is_refused_too(change: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_scenario("silver-perp", overrides=[f"{PERP}.{change}"])


@pytest.mark.parametrize("name", ["silver-perp", "stress-silver-perp"])
def test_ready_scenarios__are_valid(name: str) -> None:
    instruments = load_scenario(name).scenario.instruments
    assert {terms.kind for terms in instruments.values()} == {"miner_perp"}


def test_plain_gold_short__is_an_offer_of_funding_carry() -> None:
    """An index of plain gold beside nothing else: no miner, no freeze, no crowd needed."""
    plain = {"metal": "gold", "metal_weight": 1.0, "miner_weight": 0.0}
    terms = type(load_scenario("silver-perp").scenario.instruments["plain_silver"]).model_validate(
        {
            "index": plain,
            "pool": {"deposits_usd": 1e6},
            "traders": {"carry": {"side": "short", "leverage": 1, "margin_usd": 1e4}},
        }
    )
    assert terms.needs().assets == ("gold",)
    assert [position.name for position in terms.positions("gold_perp")] == [
        "gold_perp-pool",
        "gold_perp-carry",
    ]
