"""A market day by day, over steps and paths: the crowd, the measured traders, and the pool.

State stands in rows of LANES numbers, one for each path, so that the loops of every day become
vector instructions (`days`); what happens on few days is done path by path (`trades`).

Order of a step, as on the chain: funding, waiting orders, liquidations, stops, reductions of
winners, withdrawals, the crowd's margin and orders, the orders that leave.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.miner_perp.days import (
    above,
    accrue,
    any_near,
    observe,
    pool_worth,
    shares_paid,
    split_pool,
    split_trader,
    tell,
    touch,
    value_trader,
)
from simulator.instruments.miner_perp.rows import (
    BAD,
    BASIS,
    BY_CUT,
    BY_FEES,
    BY_FUNDING,
    BY_GAS,
    BY_LIQUIDATION,
    BY_PRICE,
    CASH,
    CLOSES,
    DID_LIQUIDATE,
    DID_REDUCE,
    DID_STOP,
    DOES_CLOSE,
    EARNED_FEES,
    EARNED_FUNDING,
    FILLED,
    FUNDING,
    HIS_CUT,
    HIS_FEES,
    HIS_FUNDING,
    HIS_LIQUIDATION,
    INSURANCE,
    LIQUIDATED_ON,
    LONG,
    LOST,
    MARGIN,
    MARGINS,
    N_ACCOUNT,
    N_OWN,
    OF_BAD_DEBT,
    OF_FEES,
    OF_FUNDING,
    OF_GAS,
    OF_ILLIQUIDITY,
    OF_MARGIN,
    OF_ORDER,
    OF_REDUCED,
    OF_TOUCH,
    OF_TRADERS,
    ORDERED,
    POOL,
    SHORT,
    SIZE,
    SLIPPED,
    STOP,
    STOPPED_ON,
    TOPPED,
    TOUCHED,
    WAITS,
    WAS_CUT,
    WAS_LIQUIDATED,
    WAS_STOPPED,
    WITHDREW,
)
from simulator.instruments.miner_perp.state import Accounts, Drivers, Numbers, Results
from simulator.instruments.miner_perp.trades import (
    charge_of,
    equity,
    fill,
    liquidate,
    reduce,
    stop,
    withdraw,
)
from simulator.jit import inlined, kernel
from simulator.mechanics.perp import size_down
from simulator.units import LANES, FloatArray

CENTS = 100.0
FEW = 0.05
"""Part of its goal by which a cohort may be off without trading."""
LEAST = 1e-6
"""USD, the least unit."""
BELOW = 1.0 - 1e-6
"""Part of the open interest that is left over which the crowd asks for."""


@inlined
def note(results: Results, step: int, account: int, path: int, act: int) -> None:
    """Add an act to the record, where one is wanted."""
    if results.acts.size > 0:
        results.acts[step, account, path] |= np.int16(act)


@inlined
def tell_amount(
    results: Results, row: int, step: int, account: int, path: int, amount: float
) -> None:
    """Write an act's number to the record, where one is wanted."""
    if results.acts.size > 0:
        results.amounts[row, step, account, path] = amount


@kernel
def begin(numbers: Numbers, cast: Accounts, own: FloatArray, accounts: FloatArray) -> None:
    """Fund everybody; the first orders wait for the first round.

    `own` is of shape (n_rows * LANES,), `accounts` of (n_accounts, n_rows * LANES), all zeros.
    """
    for k in range(LANES):
        own[POOL + k] = numbers.deposits
        own[INSURANCE + k] = numbers.insurance
        for a in range(accounts.shape[0]):
            accounts[a, MARGIN + k] = cast.margins[a]
            own[MARGINS + k] += cast.margins[a]
            accounts[a, WAITS + k] = cast.sides[a] * cast.sizes[a]


@kernel
def fill_all(
    numbers: Numbers,
    cast: Accounts,
    drivers: Drivers,
    results: Results,
    own: FloatArray,
    accounts: FloatArray,
    step: int,
    first: int,
) -> bool:
    """Fill what waits where there is a round; return whether anything still waits.

    `own` is of shape (n_rows * LANES,), `accounts` of (n_accounts, n_rows * LANES);
    paths from `first` on.
    """
    left = False
    for a in range(accounts.shape[0]):
        one = accounts[a]
        for k in range(LANES):
            if one[WAITS + k] == 0.0 and one[CLOSES + k] == 0.0:
                continue
            if not drivers.rounds[step, first + k]:
                left = True
                continue
            price = drivers.prices[step, first + k]
            opens = one[SIZE + k] == 0.0
            filled = fill(numbers, own, one, k, price)
            note(results, step, a, first + k, FILLED)
            trader = a - cast.n_cohorts
            if trader >= 0 and filled and opens and cast.stops[trader] > 0.0:
                one[STOP + k] = price * (1.0 - cast.sides[a] * cast.stops[trader])
    return left


@kernel
def liquidate_all(
    numbers: Numbers,
    cast: Accounts,
    drivers: Drivers,
    results: Results,
    own: FloatArray,
    one: FloatArray,
    account: int,
    step: int,
    first: int,
) -> None:
    """Liquidate an account on all paths on which it is due and a keeper has a round.

    `own` and `one` are of shape (n_rows * LANES,); paths from `first` on.
    """
    for k in range(LANES):
        if not drivers.kept[step, first + k]:
            continue
        before = own[BAD + k]
        if liquidate(numbers, own, one, k, drivers.prices[step, first + k]):
            note(results, step, account, first + k, DID_LIQUIDATE)
            results.events[first + k] += 1
            results.events[first + k] += 1 if own[BAD + k] > before else 0
            if account >= cast.n_cohorts:
                trader = account - cast.n_cohorts
                results.befell[trader, WAS_LIQUIDATED, first + k] = True
                results.fates[trader, LIQUIDATED_ON, first + k] = step


@kernel
def stop_all(
    numbers: Numbers,
    cast: Accounts,
    drivers: Drivers,
    results: Results,
    own: FloatArray,
    one: FloatArray,
    account: int,
    step: int,
    first: int,
) -> None:
    """Execute an account's stop where it was touched before this round and a keeper acts.

    `own` and `one` are of shape (n_rows * LANES,); paths from `first` on.
    """
    trader = account - cast.n_cohorts
    for k in range(LANES):
        touched = one[TOUCHED + k]
        if touched == 0.0 or not drivers.kept[step, first + k]:
            continue
        tell_amount(results, OF_TOUCH, step, account, first + k, touched)
        slip = stop(numbers, own, one, k, drivers.prices[step, first + k])
        note(results, step, account, first + k, DID_STOP)
        results.events[first + k] += 1
        results.befell[trader, WAS_STOPPED, first + k] = True
        results.fates[trader, STOPPED_ON, first + k] = step
        results.fates[trader, SLIPPED, first + k] = slip


@kernel
def reduce_all(
    numbers: Numbers,
    drivers: Drivers,
    results: Results,
    own: FloatArray,
    accounts: FloatArray,
    step: int,
    first: int,
) -> None:
    """Reduce winners, one after another, where their side's profit is above the trigger.

    `own` is of shape (n_rows * LANES,), `accounts` of (n_accounts, n_rows * LANES);
    paths from `first` on.
    """
    for k in range(LANES):
        if not drivers.kept[step, first + k]:
            continue
        for a in range(accounts.shape[0]):
            one = accounts[a]
            closed = reduce(numbers, own, one, k, drivers.prices[step, first + k])
            if closed > 0.0:
                note(results, step, a, first + k, DID_REDUCE)
                tell_amount(results, OF_REDUCED, step, a, first + k, closed)
                results.events[first + k] += 1


@kernel
def decide(
    numbers: Numbers,
    cast: Accounts,
    drivers: Drivers,
    results: Results,
    own: FloatArray,
    accounts: FloatArray,
    which: int,
    step: int,
    first: int,
) -> None:
    """Let the crowd order what brings it to its goals, and add the margin that this takes.

    What it orders fits today: within open interest, with margin for its own leverage, and no
    position of it is due for liquidation, which was looked at before.

    `own` is of shape (n_rows * LANES,), `accounts` of (n_accounts, n_rows * LANES);
    `which` is the decision, and paths are those from `first` on.
    """
    for a in range(cast.n_cohorts):
        one = accounts[a]
        for k in range(LANES):
            path = first + k
            waits = one[WAITS + k] != 0.0 or one[CLOSES + k] != 0.0
            if waits or not drivers.rounds[step, path]:
                continue
            price, size = drivers.prices[step, path], one[SIZE + k]
            goal = drivers.goals[which, a, path]
            side = own[LONG + k] if cast.sides[a] > 0.0 else own[SHORT + k]
            most = own[POOL + k] * numbers.max_open_interest * BELOW - side * price
            goal = min(goal, abs(size) * price + max(0.0, most))
            # twice the least: at the next round it must still be enough
            after = size_down(goal / price) if goal >= 2.0 * numbers.min_notional else 0.0
            delta = cast.sides[a] * after - size
            if abs(delta) * price <= FEW * goal or delta == 0.0:
                continue
            worth = equity(own, one, k, price, numbers.max_profit)
            needs = charge_of(numbers, own, k, delta, price) + numbers.keeper_fee
            missing = after * price / cast.levers[a] + needs - worth
            if missing > 0.0:
                added = np.ceil(missing * CENTS) / CENTS
                one[MARGIN + k] += added
                own[MARGINS + k] += added
                note(results, step, a, path, TOPPED)
                tell_amount(results, OF_MARGIN, step, a, path, added)
            one[WAITS + k] = delta
            note(results, step, a, path, ORDERED)
            tell_amount(results, OF_ORDER, step, a, path, delta)


@kernel
def leave_all(
    numbers: Numbers, cast: Accounts, results: Results, accounts: FloatArray, step: int, first: int
) -> None:
    """Let every measured trader order that his position be closed; his stop stays.

    `accounts` is of shape (n_accounts, n_rows * LANES); paths from `first` on.
    """
    for a in range(cast.n_cohorts, accounts.shape[0]):
        one = accounts[a]
        for k in range(LANES):
            waits = one[WAITS + k] != 0.0 or one[CLOSES + k] != 0.0
            if one[SIZE + k] == 0.0 or waits:
                continue
            one[CLOSES + k] = 1.0
            note(results, step, a, first + k, ORDERED | DOES_CLOSE)


@kernel
def withdraw_all(
    numbers: Numbers,
    cast: Accounts,
    results: Results,
    own: FloatArray,
    accounts: FloatArray,
    step: int,
    first: int,
) -> None:
    """Pay every measured trader without a position his margin out.

    `own` is of shape (n_rows * LANES,), `accounts` of (n_accounts, n_rows * LANES);
    paths from `first` on.
    """
    for a in range(cast.n_cohorts, accounts.shape[0]):
        one = accounts[a]
        for k in range(LANES):
            waits = one[WAITS + k] != 0.0 or one[CLOSES + k] != 0.0
            if one[SIZE + k] == 0.0 and not waits and one[MARGIN + k] > 0.0:
                tell_amount(results, OF_MARGIN, step, a, first + k, one[MARGIN + k])
                withdraw(own, one, k)
                note(results, step, a, first + k, WITHDREW)


@kernel
def claim(
    numbers: Numbers,
    drivers: Drivers,
    results: Results,
    own: FloatArray,
    worth: FloatArray,
    step: int,
    first: int,
) -> None:
    """Pay the measured provider what he asked for, as far as open interest leaves the pool free.

    `own` is of shape (n_rows * LANES,), `worth`, of (LANES,), what the pool owns; paths from
    `first` on.
    """
    share = numbers.holder / numbers.deposits
    for k in range(LANES):
        path, pool = first + k, own[POOL + k]
        mark = share * worth[k]
        needed = 0.0
        if numbers.max_open_interest > 0.0:
            largest = max(own[LONG + k], own[SHORT + k]) * drivers.prices[step, path]
            needed = largest / numbers.max_open_interest
        free = max(0.0, pool - needed)
        comes = numbers.can_claim > 0.0 and drivers.rounds[step, path]
        paid = min(mark, free) if comes else 0.0
        results.pool_paid[path] = paid
        results.pool_unpaid[path] = mark - paid
        own[POOL + k] -= paid


@kernel
def value_all(
    numbers: Numbers,
    cast: Accounts,
    results: Results,
    own: FloatArray,
    accounts: FloatArray,
    price: FloatArray,
    longs: FloatArray,
    shorts: FloatArray,
    step: int,
    first: int,
) -> None:
    """Write every measured trader's day.

    `own` and `accounts` as of `begin`, `price`, and what share of its profit each side is paid,
    `longs` and `shorts`, of shape (LANES,); paths from `first` on.
    """
    lanes = slice(first, first + LANES)
    leave_gas = numbers.gas_leave * numbers.gas_times[step]
    for t in range(accounts.shape[0] - cast.n_cohorts):
        one = accounts[cast.n_cohorts + t]
        paid = longs if cast.sides[cast.n_cohorts + t] > 0.0 else shorts
        mark, leave = results.marks[t, step, lanes], results.leaves[t, step, lanes]
        notional, spent = results.notionals[t, step, lanes], numbers.gas_enter
        value_trader(numbers, own, one, price, paid, spent, leave_gas, mark, leave, notional)
        if results.gains.shape[2] > 0:
            start = cast.margins[cast.n_cohorts + t]
            split_trader(own, one, price, paid, start, spent, mark, results.gains[t], step, first)


@kernel
def value_pool(
    numbers: Numbers,
    results: Results,
    own: FloatArray,
    worth: FloatArray,
    step: int,
    last: int,
    first: int,
) -> None:
    """Write the measured provider's day; after the last round nothing of his changes.

    `own` is of shape (n_rows * LANES,), `worth`, of (LANES,), what the pool owns; paths from
    `first` on.
    """
    share, spent = numbers.holder / numbers.deposits, numbers.gas_provide
    spent += numbers.gas_request if step >= numbers.request_step else 0.0
    lanes = slice(first, first + LANES)
    mark, leave = results.pool_mark[step, lanes], results.pool_leave[step, lanes]
    if step < last:
        for k in range(LANES):
            mark[k] = share * worth[k]
    else:
        for k in range(LANES):
            mark[k] = results.pool_paid[first + k] + results.pool_unpaid[first + k]
    for k in range(LANES):
        leave[k] = (
            mark[k] * (1.0 - numbers.haircut) - spent - numbers.gas_claim * numbers.gas_times[step]
        )
    for k in range(LANES):
        mark[k] -= spent
    gains = results.pool_gains
    if gains.shape[1] > 0 and step <= last:
        split_pool(numbers, own, mark, spent, gains, step, first)
    elif gains.shape[1] > 0:
        for source in range(gains.shape[0]):
            for path in range(first, first + LANES):
                gains[source, step, path] = gains[source, step - 1, path]


@kernel
def observe_accounts(
    numbers: Numbers,
    results: Results,
    own: FloatArray,
    accounts: FloatArray,
    price: FloatArray,
    step: int,
    first: int,
) -> None:
    """Write down what the replay compares of the accounts, where a record is wanted.

    `own` and `accounts` as of `begin`, `price` of shape (LANES,); paths from `first` on.
    """
    for a in range(accounts.shape[0]):
        one = accounts[a]
        for k in range(LANES):
            worth = equity(own, one, k, price[k], numbers.max_profit)
            results.equities[step, a, first + k] = worth
            results.held[step, a, first + k] = one[SIZE + k]


@kernel
def finish_trader(
    numbers: Numbers, cast: Accounts, results: Results, one: FloatArray, trader: int, first: int
) -> None:
    """Let a measured trader leave: what is not paid out by now stays at mark.

    `one` is of shape (n_rows * LANES,); paths from `first` on. The last day of `gains` is
    written, so that what it lacks of the return are the costs of leaving.
    """
    start = cast.margins[cast.n_cohorts + trader]
    by = results.attribution[trader]
    for k in range(LANES):
        path = first + k
        cash = one[CASH + k]
        mark = results.marks[trader, -1, path] + numbers.gas_enter
        gas = numbers.gas_enter + (numbers.gas_leave * numbers.gas_times[-1] if cash > 0.0 else 0.0)
        results.leaves[trader, -1, path] = mark - gas
        results.unpaid[trader, path] = max(0.0, mark - cash)
        # his position is closed but where it could not be: that is the index's affair
        by[BY_FUNDING, path] = one[HIS_FUNDING + k]
        by[BY_FEES, path] = one[HIS_FEES + k]
        by[BY_LIQUIDATION, path] = one[HIS_LIQUIDATION + k]
        by[BY_CUT, path] = one[HIS_CUT + k]
        by[BY_GAS, path] = -gas
        others = one[HIS_FUNDING + k] + one[HIS_FEES + k]
        others += one[HIS_LIQUIDATION + k] + one[HIS_CUT + k]
        by[BY_PRICE, path] = mark - start - others
        results.befell[trader, WAS_CUT, path] = one[HIS_CUT + k] < -LEAST


@kernel
def finish_pool(numbers: Numbers, results: Results, sums: FloatArray, first: int) -> None:
    """Let the measured provider leave; `sums` is of shape (3, LANES), from path `first` on.

    Its rows are what funding, fees and debts brought the pool up to the last round, USD.
    """
    by, share = results.pool_attribution, numbers.holder / numbers.deposits
    for k in range(LANES):
        path = first + k
        paid, unpaid = results.pool_paid[path], results.pool_unpaid[path]
        gas = numbers.gas_provide + numbers.gas_request
        gas += numbers.gas_claim * numbers.gas_times[-1] if paid > 0.0 else 0.0
        results.pool_leave[-1, path] = paid + (1.0 - numbers.haircut) * unpaid - gas
        by[OF_FUNDING, path] = share * sums[0, k]
        by[OF_FEES, path] = share * sums[1, k]
        by[OF_BAD_DEBT, path] = share * sums[2, k]
        by[OF_ILLIQUIDITY, path] = -numbers.haircut * unpaid
        by[OF_GAS, path] = -gas
        rest = paid + unpaid - numbers.holder
        by[OF_TRADERS, path] = rest - share * (sums[0, k] + sums[1, k] + sums[2, k])


@inlined
def sum_up(own: FloatArray, sums: FloatArray) -> None:
    """Write what funding, fees and debts brought the pool so far, `sums` of shape (3, LANES).

    `own` is of shape (n_rows * LANES,).
    """
    for k in range(LANES):
        owed = (own[LONG + k] - own[SHORT + k]) * own[FUNDING + k] - own[BASIS + k]
        sums[0, k] = own[EARNED_FUNDING + k] + owed
        sums[1, k] = own[EARNED_FEES + k]
        sums[2, k] = own[LOST + k]


@kernel
def run(numbers: Numbers, cast: Accounts, drivers: Drivers, results: Results) -> None:
    """Run all paths of a block over all steps; fields as their classes describe them."""
    n_rows, n_accounts, last = drivers.prices.shape[0], cast.sides.shape[0], drivers.last_round
    for first in range(0, drivers.prices.shape[1], LANES):
        lanes = slice(first, first + LANES)
        own, accounts = np.zeros(N_OWN * LANES), np.zeros((n_accounts, N_ACCOUNT * LANES))
        longs, shorts, worth = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
        touched, sums = np.zeros(n_accounts, np.bool_), np.zeros((3, LANES))
        begin(numbers, cast, own, accounts)
        waiting, decision = True, 0
        for step in range(n_rows):
            price = drivers.prices[step, lanes]
            if step > 0:
                accrue(numbers, own, drivers.prices[step - 1, lanes])
            if waiting:
                waiting = fill_all(numbers, cast, drivers, results, own, accounts, step, first)
            shares_paid(numbers, own, price, longs, shorts)
            for a in range(n_accounts):
                paid = longs if cast.sides[a] > 0.0 else shorts
                if any_near(numbers, own, accounts[a], price, paid):
                    liquidate_all(numbers, cast, drivers, results, own, accounts[a], a, step, first)
            for a in range(cast.n_cohorts, n_accounts):
                if touched[a]:
                    stop_all(numbers, cast, drivers, results, own, accounts[a], a, step, first)
                if cast.stops[a - cast.n_cohorts] > 0.0:
                    touched[a] = touch(accounts[a], price, drivers.rounds[step, lanes], step)
            if above(own, price, numbers.adl_trigger):
                reduce_all(numbers, drivers, results, own, accounts, step, first)
            if step == last:
                withdraw_all(numbers, cast, results, own, accounts, step, first)
            pool_worth(own, numbers, price, worth)
            if step == last:
                sum_up(own, sums)
                claim(numbers, drivers, results, own, worth, step, first)
            if decision < len(drivers.decides) and drivers.decides[decision] == step:
                decide(numbers, cast, drivers, results, own, accounts, decision, step, first)
                decision += 1
                waiting = True
            if step == last - 1:
                leave_all(numbers, cast, results, accounts, step, first)
                waiting = True
            shares_paid(numbers, own, price, longs, shorts)
            value_all(numbers, cast, results, own, accounts, price, longs, shorts, step, first)
            value_pool(numbers, results, own, worth, step, last, first)
            tell(own, price, results.series, step, first)
            if results.observed.size > 0:
                pool_worth(own, numbers, price, worth)
                observe(own, worth, results.observed[step], first)
                observe_accounts(numbers, results, own, accounts, price, step, first)
        for t in range(n_accounts - cast.n_cohorts):
            finish_trader(numbers, cast, results, accounts[cast.n_cohorts + t], t, first)
        finish_pool(numbers, results, sums, first)
