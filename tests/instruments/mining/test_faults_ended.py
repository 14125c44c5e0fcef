"""Faults of the mine's room that were ended, each shown by a test that the old code failed."""

from __future__ import annotations

import inspect
from enum import IntEnum
from types import ModuleType

import mines
import numpy as np
import pytest

from simulator.instruments.gas import Gas
from simulator.instruments.mining import (
    equity,
    equity_kernel,
    equity_state,
    kernel,
    output_kernel,
    paths,
    rows,
)
from simulator.instruments.mining.gas import HOLDER_GAS
from simulator.instruments.mining.state import SOURCES, From
from simulator.instruments.mining.streams import Stream, stream
from simulator.instruments.registry import labelled
from simulator.market.events import first_event
from simulator.units import LANES

STEPS, N_PATHS = 400, 4


def held_still(shape: tuple[int, ...], number: float) -> np.ndarray:
    """Return an array that nobody may write to."""
    array = np.full(shape, number)
    array.setflags(write=False)
    return array


def test_days_of_the_token__are_told_without_a_write_to_what_they_are_told_from() -> None:
    shape = (STEPS + 1, N_PATHS)
    mark, value = held_still(shape, 1e5), held_still(shape, 9e4)
    gains = held_still((len(SOURCES), *shape), 1.0)
    days = paths._daily(mines.terms(), mark, value, gains)
    assert days.value is value
    assert days.brought is gains
    np.testing.assert_array_equal(days.income[0], 1e4)
    np.testing.assert_array_equal(days.income[1:], 0.0)


def test_days_of_the_share__are_told_without_a_write_to_what_they_are_told_from() -> None:
    shape = (STEPS + 1, N_PATHS)
    mark, received = held_still(shape, 1e5), held_still(shape, 2e3)
    gains = held_still((len(equity_state.SOURCES), *shape), 1.0)
    days = equity._daily(mines.equity(), mark, received, gains, None)
    assert days.brought is gains
    # dividends are counted from the second day on: the first one's are put back in
    np.testing.assert_array_equal(days.income[:3, 0], [0.0, 2e3, 0.0])


def test_days__of_token_and_share__begin_with_what_was_put_in_and_no_gain() -> None:
    chosen, market = mines.terms(), mines.wild_copper(n_paths=LANES)
    drivers = mines.drawn(chosen, market)
    token, record = paths.simulate(
        chosen, Gas(HOLDER_GAS, 1e-6), drivers, 1e5, record=True, daily=True
    )
    close = chosen.sale.days
    np.testing.assert_array_equal(token.daily.value[:close], 1e5)
    # the record has the tokens' price, and before the close there are none
    np.testing.assert_array_equal(record.price_usd[:close], 0.0)
    np.testing.assert_array_equal(record.price_usd[close:], token.daily.value[close:])
    drawn = equity.draw_equity_drivers(mines.equity(), drivers.mine, 1, 0)
    share = equity.simulate_equity(mines.equity(), chosen, drawn, "share", 1e5, daily=True)
    for position in (token, share):
        np.testing.assert_array_equal(position.mark["usd"][0], 1e5)
        np.testing.assert_array_equal(position.daily.brought[:, 0], 0.0)


@pytest.mark.parametrize("module", [kernel, equity_kernel, output_kernel])
def test_kernels__take_numbers_drivers_and_results(module: ModuleType) -> None:
    assert list(inspect.signature(module.run.py_func).parameters) == [
        "numbers",
        "drivers",
        "results",
    ]


@pytest.mark.parametrize(
    ("module", "enums"),
    [
        (rows, (rows.Own, rows.Seen, rows.Today, From, rows.Issued)),
        (equity_state, (equity_state.Row, equity_state.From)),
        (output_kernel, (output_kernel.Row,)),
    ],
)
def test_rows__stand_one_after_another_as_they_are_named(
    module: ModuleType, enums: tuple[type[IntEnum], ...]
) -> None:
    """Constants are unpacked in order: one name too many or in the wrong place would shift all."""
    before = 0
    for rows_of in enums:
        sources = rows_of.__name__ == "From"
        for row in rows_of:
            place = getattr(module, f"BY_{row.name}" if sources else row.name)
            assert place == LANES * (before + row), row.name
        before += len(rows_of)
    assert before == module.N_ROWS


def test_streams__are_the_room_s_own__bare_where_the_label_is_the_kind() -> None:
    assert {int(number) for number in Stream} == {137, 138, 150, 151, 152, 153, 154}
    for number in Stream:
        assert stream(number, "mining_sto") == int(number)
        assert stream(number, "producing_sto") == labelled(number, "producing_sto")


def test_share__of_a_mine__fails_by_its_mine_s_stream() -> None:
    chosen, market = mines.terms(), mines.market()
    terms = mines.equity(mine="mine", default_hazard=0.5)
    drivers = equity.draw_equity_drivers(terms, mines.drawn(chosen, market).mine, 7, 0)
    expected = first_event(7, labelled(152, "mine"), 0, LANES, 0.5)
    np.testing.assert_array_equal(drivers.default_step, expected)


def happened(**changes) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return what happened to a holder by name, and what he won and lost by source."""
    copper = changes.pop("copper_usd", 12_730.0)
    held = mines.play(mines.terms(**changes), mines.market(copper))[1]
    assert set(held.happened) == {"raise_failed", "defaulted", "promise_broken", "outage"}
    for flags in held.happened.values():
        assert flags.dtype == bool
        assert flags.shape == held.events.shape
    return dict(held.happened), mines.by_source(held)


def test_happened__nothing__is_told_as_nothing() -> None:
    found, _ = happened()
    assert not any(flags.any() for flags in found.values())


def test_raise__below_its_soft_cap__failed() -> None:
    found, by = happened(sale__demand_usd=1e6)
    assert found["raise_failed"].all()
    assert np.all(by["issue_price"] == 0.0)
    assert not any(found[name].any() for name in ("defaulted", "promise_broken", "outage"))


def test_raise__whose_tokens_trade_at_their_issue_price__did_not_fail() -> None:
    """Believed in wholly, the first price is what was paid: to cost nothing is not to fail."""
    top_up = {"trust": 1.0, "reserve_share": 0.5}
    found, by = happened(payout={"payout_ratio": 0.5, "top_up": top_up})
    # but for the rounding of the mood's factor
    assert np.all(np.abs(by["issue_price"]) < 1e-8)
    assert not found["raise_failed"].any()


def test_default__that_takes_nothing__happened_all_the_same() -> None:
    found, by = happened(default={"hazard": 10.0, "recovery": 1.0})
    assert np.all(by["default"] == 0.0)
    assert found["defaulted"].mean() > 0.9
    assert not found["promise_broken"].any()


def test_default__after_a_failed_raise__is_nobody_s() -> None:
    found, _ = happened(default={"hazard": 10.0}, sale__demand_usd=1e6)
    assert not found["defaulted"].any()


@pytest.mark.parametrize("default", [{"hazard": 0.0}, {"hazard": 10.0}])
def test_promise__that_nobody_believed_in__broke_all_the_same(default: dict[str, float]) -> None:
    """Nine tenths a year out of profit alone; or the operator stops paying before."""
    top_up = {"trust": 0.0, "reserve_share": 0.0, "deposits_a_year": 0.0}
    payout = {"payout_ratio": 0.5, "promised_yield": 0.9, "top_up": top_up}
    found, by = happened(payout=payout, default=default)
    assert np.all(by["broken_promise"] == 0.0)
    assert found["promise_broken"].all()


def test_promise__without_top_ups__is_none_that_could_break() -> None:
    found, _ = happened(payout={"payout_ratio": 0.5, "promised_yield": 0.9})
    assert not found["promise_broken"].any()


def test_outage__of_a_mine_worth_nothing__happened_all_the_same() -> None:
    power = {"hazard": 10.0, "mean_days": 5.0, "output_lost": 1.0}
    changes = {"outages": mines.STILL | {"power": power}, "copper_usd": 2_000.0}
    found, by = happened(**changes, secondary__long_run_price_usd_per_tonne=2_000.0)
    assert np.all(by["outage"] == 0.0)
    assert found["outage"].all()


def test_outage__counts_from_the_day_after_the_close() -> None:
    """By hand: every path's mine stands on the close; on half of them it still does a day later."""
    chosen, market = mines.terms(), mines.market()
    drivers = mines.drawn(chosen, market)
    close = chosen.sale.days
    drivers.mine.halted[close - 5 : close + 1] = 3
    drivers.mine.halted[close + 1, ::2] = 3
    held, _ = paths.simulate(chosen, Gas(HOLDER_GAS, 0.0), drivers, 1e5)
    np.testing.assert_array_equal(held.happened["outage"], np.arange(LANES) % 2 == 0)
    assert held.events.max() == 0, "it began before there were tokens"


def test_payments__are_what_they_are_whatever_a_forced_sale_brings() -> None:
    """Two promises: a default's recovery and a seller's discount leave what was declared alone."""
    risky = {"hazard": 1.0, "recovery": 0.0}
    dear = mines.terms(default=risky, secondary__lockup_discount=0.9)
    kind = mines.terms(default=risky | {"recovery": 1.0}, secondary__lockup_discount=0.15)
    (_, lost, _), (_, kept, _) = (mines.play(terms, mines.market()) for terms in (dear, kind))
    np.testing.assert_array_equal(lost.details["declared"], kept.details["declared"])
    fell = lost.happened["defaulted"]
    assert 0.3 < fell.mean() < 0.9
    assert np.all(kept.exit["usd"][-1, fell] > lost.exit["usd"][-1, fell])


def test_defaulted__is_1_from_the_day_on_which_the_operator_stops() -> None:
    drivers, held, _ = mines.play(mines.terms(default={"hazard": 1.0}), mines.market())
    first = held.details["defaulted"].argmax(axis=0)
    fell = held.happened["defaulted"]
    np.testing.assert_array_equal(first[fell], drivers.default_step[fell])
    np.testing.assert_array_equal(held.details["defaulted"][-1], fell)
    failed = mines.terms(default={"hazard": 10.0}, sale__demand_usd=1e6)
    assert not mines.play(failed, mines.market())[1].details["defaulted"].any()
