"""The parts of a day that every lane goes through, and the rare ones of single lanes.

`state`, of shape (STATE_SIZE,), is the flat array of `lanes`; `acts`, of shape
(WIDTH, N_ACTIONS), are the day's acts of each lane, for the record, in the columns of
`state.Action`.
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.gold_vault.borrowers import liquidations
from simulator.instruments.gold_vault.holder import attribute_losses, attribute_profit
from simulator.instruments.gold_vault.lanes import (
    BORROW_INDEX,
    BUFFER_BAD_DEBT,
    BUFFER_EXPLOIT,
    BUFFER_IMPERMANENT,
    CROWD_SHARES,
    DEMAND_OUNCES,
    EVENTS,
    EXPLOIT_DAY,
    EXPLOIT_SHARE,
    FLOW,
    GOLD_USD,
    HOLDER_SHARES,
    IDLE,
    LENDING_REPORTED_DAY,
    LOCKED,
    MARKED,
    PER_INDEX,
    PERIOD_END_DAY,
    POOL_DEBT,
    POOL_FEES_OPEN,
    POOL_MOVED,
    POOL_REPORTED_DAY,
    POOL_WORTH,
    RATE_PER_DAY,
    REWARDS_UNCLAIMED,
    SHARES,
    SHARES_PER_OUNCE,
    STAKED,
    SUPPLY_INDEX,
    UTILISATION,
    WIDTH,
    get_buffer,
    get_fund,
    get_price,
    get_staking,
    get_supply,
    put_fund,
    put_market,
    put_price,
    put_profit,
)
from simulator.instruments.gold_vault.managers import (
    Books,
    allocate,
    book_pool_loss,
    choose,
    choose_profit,
    crowd_moves,
    exploit,
    report_kept,
    report_lending,
    report_pool,
)
from simulator.instruments.gold_vault.moves import MINIMUM_OUNCES, Price
from simulator.instruments.gold_vault.pool_leg import most_of_pool, move_in_pool, value_pool
from simulator.instruments.gold_vault.state import Action, Terms
from simulator.jit import inlined, kernel
from simulator.mechanics import lending, staking, vault
from simulator.mechanics.vault import BySource
from simulator.units import DAYS_PER_YEAR, FloatArray

CROWD_REDEEM_SHARES = int(Action.CROWD_REDEEM_SHARES)
CROWD_DEPOSIT = int(Action.CROWD_DEPOSIT)
CROWD_STAKE_SHARES = int(Action.CROWD_STAKE_SHARES)
LENDING_TARGET = int(Action.LENDING_TARGET)
POOL_TARGET = int(Action.POOL_TARGET)
POOL_FIRST = int(Action.POOL_FIRST)
REPORT_LOSS = int(Action.REPORT_LOSS)
REPORT_POOL_LOSS = int(Action.REPORT_POOL_LOSS)
EXPLOIT_LENDING_TARGET = int(Action.EXPLOIT_LENDING_TARGET)
EXPLOIT_POOL_TARGET = int(Action.EXPLOIT_POOL_TARGET)
EXPLOIT_STOLEN = int(Action.EXPLOIT_STOLEN)


@inlined
def begin(state: FloatArray, terms: Terms) -> None:
    """Make the first deposits, the crowd's and the holder's; both stake their shares.

    `state` is of shape (STATE_SIZE,).
    """
    for index in range(state.size):
        state[index] = 0.0
    for lane in range(WIDTH):
        # yesterday's price, by which `take_prices` divides; nothing is held yet
        state[GOLD_USD + lane] = 1.0
        state[BORROW_INDEX + lane] = 1.0
        state[CROWD_SHARES + lane] = terms.crowd_ounces
        state[HOLDER_SHARES + lane] = terms.holder_ounces
        state[IDLE + lane] = terms.crowd_ounces + terms.holder_ounces
        state[SHARES + lane] = terms.crowd_ounces + terms.holder_ounces
        state[STAKED + lane] = terms.crowd_ounces + terms.holder_ounces


@inlined
def let_time_pass(state: FloatArray, day: float, terms: Terms) -> None:
    """Accrue interest, unlock profit and let rewards flow since yesterday.

    `state` is of shape (STATE_SIZE,).
    """
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        rate = lending.kinked_rate(
            state[UTILISATION + lane], terms.base_rate, terms.slope1, terms.slope2, terms.kink
        )
        growth = rate * (1.0 / DAYS_PER_YEAR)
        market, shares_per_ounce = lending.accrue(fund.market, growth, terms.reserve_factor)
        put_market(state, lane, market)
        state[PER_INDEX + lane] = 1.0 / market.borrow_index
        state[SUPPLY_INDEX + lane] = 1.0 / shares_per_ounce
        state[SHARES_PER_OUNCE + lane] = shares_per_ounce
        after, buffer, released = vault.unlock(fund.vault, get_buffer(state, lane), day - 1.0, day)
        put_profit(state, lane, buffer)
        attribute_profit(state, lane, released)
        state[LOCKED + lane] = after.locked
        staked = get_staking(state, lane)
        reward = staking.flow(staked, day - 1.0, day) / staked.staked
        state[REWARDS_UNCLAIMED + lane] += state[HOLDER_SHARES + lane] * reward


@kernel
def unlock_losses(state: FloatArray, day: float) -> bool:
    """Unlock what of losses sits in the locked profit; return whether any is left.

    Comes before `let_time_pass`, which does the same for the usual sources. `state` is of shape
    (STATE_SIZE,).
    """
    left = 0
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        _, buffer, released = vault.unlock(fund.vault, get_buffer(state, lane), day - 1.0, day)
        attribute_losses(state, lane, released)
        state[BUFFER_BAD_DEBT + lane] = buffer.bad_debt
        state[BUFFER_EXPLOIT + lane] = buffer.exploit
        state[BUFFER_IMPERMANENT + lane] = buffer.impermanent
        # counted by arithmetic: an `or` is a branch, which would end the vectors
        left |= 1 if buffer.bad_debt != 0.0 else 0
        left |= 1 if buffer.exploit != 0.0 else 0
    return left > 0


@inlined
def no_profit() -> BySource:
    """Return zero from every source."""
    return BySource(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@inlined
def put_books(state: FloatArray, lane: int, books: Books) -> None:
    """Write fund and locked profit, and book what was released; `state` of shape (STATE_SIZE,)."""
    put_fund(state, lane, books.fund)
    put_profit(state, lane, books.buffer)
    state[BUFFER_BAD_DEBT + lane] = books.buffer.bad_debt
    state[BUFFER_EXPLOIT + lane] = books.buffer.exploit
    state[BUFFER_IMPERMANENT + lane] = books.buffer.impermanent
    attribute_profit(state, lane, books.released)
    attribute_losses(state, lane, books.released)


@kernel
def take_losses(
    state: FloatArray, lane: int, day: float, absent: bool, terms: Terms, acts: FloatArray
) -> tuple[float, float]:
    """Liquidate on one lane, report what that lost, and let the intruder in on the day.

    Where the keepers are `absent` nobody liquidates, and the borrowers stand still that day: who
    owes more than he has put up neither repays nor adds to it. Returns the debt that was written
    off, and what liquidators repaid, USDC. `state` is of shape (STATE_SIZE,), `acts` of
    (WIDTH, N_ACTIONS).
    """
    lost = bad_debt = repaid = 0.0
    if absent:
        # no demand compares with it: nobody wants more or less than he has
        state[DEMAND_OUNCES + lane] = np.nan
    else:
        lost, bad_debt, repaid = liquidations(state, lane, terms, acts)
    fund = get_fund(state, lane)
    books = Books(fund, get_buffer(state, lane), no_profit())
    # liquidations may have lowered what the day began with
    index = lending.supply_index(fund.market)
    supply = Price(index, 1.0 / index)
    state[SUPPLY_INDEX + lane] = supply.ounces_per_share
    state[SHARES_PER_OUNCE + lane] = supply.shares_per_ounce
    if lost > MINIMUM_OUNCES:
        since = day - state[LENDING_REPORTED_DAY + lane]
        books = report_lending(books, supply, lost, since, day, terms)
        state[LENDING_REPORTED_DAY + lane] = day
        acts[lane, REPORT_LOSS] = 1.0
    if state[EXPLOIT_DAY + lane] == day:
        books, targets, stolen, from_pool = exploit(
            books, supply, day, state[EXPLOIT_SHARE + lane], terms
        )
        state[POOL_MOVED + lane] = -from_pool
        acts[lane, EXPLOIT_LENDING_TARGET] = targets.lending
        acts[lane, EXPLOIT_POOL_TARGET] = targets.pool
        acts[lane, EXPLOIT_STOLEN] = stolen
        state[EVENTS + lane] += 1.0 if stolen > 0.0 else 0.0
    put_books(state, lane, books)
    if state[POOL_MOVED + lane] < 0.0:
        settle(state, lane, day, terms)
    return bad_debt * state[GOLD_USD + lane], repaid * state[GOLD_USD + lane]


@inlined
def wishes(
    state: FloatArray, lane: int, step: int, last: bool, terms: Terms
) -> tuple[float, float]:
    """Return the shares of its deposits that the crowd takes out and puts in.

    After an exploit it runs; on the first day and the last nobody joins. `state` is of shape
    (STATE_SIZE,).
    """
    day = float(step)
    net = state[FLOW + lane] if step > 0 else 0.0
    exploit_day = state[EXPLOIT_DAY + lane]
    leaving = -net if net < 0.0 else 0.0
    leaving = terms.run_share if day > exploit_day else leaving
    joining = net if net > 0.0 and day < exploit_day and not last else 0.0
    return leaving, joining


@inlined
def move_crowd(state: FloatArray, step: int, last: bool, pooled: bool, terms: Terms) -> int:
    """Let the crowd leave or join; return on how many lanes the pool must pay.

    What it must pay is owed less already, and waits in `POOL_MOVED`. `state` is of shape
    (STATE_SIZE,).
    """
    paying = 0
    for lane in range(WIDTH):
        leaving, joining = wishes(state, lane, step, last, terms)
        crowd = state[CROWD_SHARES + lane]
        fund = get_fund(state, lane)
        price, supply = put_price(state, lane, fund.vault), get_supply(state, lane)
        fund, done = crowd_moves(fund, supply, crowd, leaving, joining, price, terms)
        put_fund(state, lane, fund)
        state[CROWD_SHARES + lane] = crowd + done.staked - done.redeemed
        state[STAKED + lane] += done.staked - done.redeemed
        state[EVENTS + lane] += done.refused
        if pooled:
            state[POOL_MOVED + lane] = -done.from_pool
            paying += 1 if done.from_pool > 0.0 else 0
    return paying


@kernel
def settle_crowd(state: FloatArray, day: float, terms: Terms) -> None:
    """Take out of the pool what it must pay; `state` of shape (STATE_SIZE,)."""
    for lane in range(WIDTH):
        if state[POOL_MOVED + lane] < 0.0:
            settle(state, lane, day, terms)
            put_price(state, lane, get_fund(state, lane).vault)


@kernel
def record_crowd(state: FloatArray, step: int, last: bool, terms: Terms, acts: FloatArray) -> None:
    """Write down what `move_crowd` is about to do.

    `state` is of shape (STATE_SIZE,), `acts` of (WIDTH, N_ACTIONS).
    """
    for lane in range(WIDTH):
        leaving, joining = wishes(state, lane, step, last, terms)
        crowd, supply = state[CROWD_SHARES + lane], get_supply(state, lane)
        fund = get_fund(state, lane)
        price = put_price(state, lane, fund.vault)
        _, done = crowd_moves(fund, supply, crowd, leaving, joining, price, terms)
        acts[lane, CROWD_REDEEM_SHARES] = done.redeemed
        acts[lane, CROWD_DEPOSIT] = done.deposited
        acts[lane, CROWD_STAKE_SHARES] = done.staked


@inlined
def get_reported(state: FloatArray, lane: int, day: float, pooled: bool, terms: Terms) -> Books:
    """Return a lane after the reports of its strategies; `state` of shape (STATE_SIZE,)."""
    books = Books(get_fund(state, lane), get_buffer(state, lane), no_profit())
    since = day - state[LENDING_REPORTED_DAY + lane]
    books = report_lending(books, get_supply(state, lane), 0.0, since, day, terms)
    if pooled:
        worth, fees = state[POOL_WORTH + lane], state[POOL_FEES_OPEN + lane]
        since = day - state[POOL_REPORTED_DAY + lane]
        books = report_pool(books, worth, fees, since, day, terms)
    return books


@inlined
def manage(state: FloatArray, day: float, terms: Terms) -> None:
    """Report the lending strategy, and move assets towards their targets; there is no pool.

    Lanes on which a report may reach the price at once are done by `report_and_release`.
    `state` is of shape (STATE_SIZE,).
    """
    releasing = 0
    # every lane goes the usual way, and what does not hold is dropped: a branch would end the
    # vectors
    for lane in range(WIDTH):
        fund, buffer = get_fund(state, lane), get_buffer(state, lane)
        supply, price = get_supply(state, lane), get_price(state, lane)
        since = day - state[LENDING_REPORTED_DAY + lane]
        moved, profit, keeps = report_kept(fund, buffer, supply, price, since, day, terms)
        moved, _, _ = allocate(moved, supply, 0.0, terms)
        put_fund(state, lane, choose(keeps, moved, fund))
        put_profit(state, lane, choose_profit(keeps, profit, buffer))
        state[LENDING_REPORTED_DAY + lane] += since if keeps else 0.0
        state[MARKED + lane] = 0.0 if keeps else 1.0
        releasing += 0 if keeps else 1
    if releasing > 0:
        report_and_release(state, day, terms)


@kernel
def report_and_release(state: FloatArray, day: float, terms: Terms) -> None:
    """Manage as in `manage` the marked lanes, where profits or losses may reach the price.

    `state` is of shape (STATE_SIZE,).
    """
    for lane in range(WIDTH):
        if state[MARKED + lane] > 0.0:
            put_books(state, lane, get_reported(state, lane, day, False, terms))
            state[LENDING_REPORTED_DAY + lane] = day
            fund, _, _ = allocate(get_fund(state, lane), get_supply(state, lane), 0.0, terms)
            put_fund(state, lane, fund)
            put_price(state, lane, fund.vault)


@kernel
def manage_with_pool(state: FloatArray, day: float, terms: Terms) -> None:
    """Report both strategies, move assets towards their targets, and book what moving costs.

    On the first day there is nothing to report. `state` is of shape (STATE_SIZE,).
    """
    for lane in range(WIDTH):
        if day > 0.0:
            put_books(state, lane, get_reported(state, lane, day, True, terms))
            state[LENDING_REPORTED_DAY + lane] = day
            state[POOL_REPORTED_DAY + lane] = day
            state[POOL_FEES_OPEN + lane] = 0.0
        most = most_of_pool(state, lane, terms)
        fund, _, moved = allocate(get_fund(state, lane), get_supply(state, lane), most, terms)
        put_fund(state, lane, fund)
        state[POOL_MOVED + lane] = moved
    for lane in range(WIDTH):
        settle(state, lane, day, terms)
        put_price(state, lane, get_fund(state, lane).vault)


@kernel
def report_pool_losses(state: FloatArray, day: float, terms: Terms, acts: FloatArray) -> None:
    """Report the pool on every lane on which it is worth less than its debt.

    A keeper does so before anybody comes or goes. `state` is of shape (STATE_SIZE,), `acts` of
    (WIDTH, N_ACTIONS).
    """
    for lane in range(WIDTH):
        worth, fees = state[POOL_WORTH + lane], state[POOL_FEES_OPEN + lane]
        if worth < state[POOL_DEBT + lane]:
            books = Books(get_fund(state, lane), get_buffer(state, lane), no_profit())
            since = day - state[POOL_REPORTED_DAY + lane]
            put_books(state, lane, report_pool(books, worth, fees, since, day, terms))
            state[POOL_REPORTED_DAY + lane] = day
            state[POOL_FEES_OPEN + lane] = 0.0
            acts[lane, REPORT_POOL_LOSS] = 1.0
            value_pool(state, lane, terms)


@inlined
def settle(state: FloatArray, lane: int, day: float, terms: Terms) -> None:
    """Move `POOL_MOVED` ounces into the pool or out of it, and book what that costs.

    `state` is of shape (STATE_SIZE,).
    """
    move_in_pool(state, lane, terms)
    worth, fees = state[POOL_WORTH + lane], state[POOL_FEES_OPEN + lane]
    loses = worth < state[POOL_DEBT + lane]
    books = Books(get_fund(state, lane), get_buffer(state, lane), no_profit())
    put_books(state, lane, book_pool_loss(books, worth, fees, day, terms))
    state[POOL_FEES_OPEN + lane] = 0.0 if loses else fees
    value_pool(state, lane, terms)


@kernel
def record_management(
    state: FloatArray, day: float, pooled: bool, terms: Terms, acts: FloatArray
) -> None:
    """Write down what managing is about to do.

    `state` is of shape (STATE_SIZE,), `acts` of (WIDTH, N_ACTIONS).
    """
    for lane in range(WIDTH):
        fund = get_fund(state, lane)
        if day > 0.0:
            fund = get_reported(state, lane, day, pooled, terms).fund
        most = most_of_pool(state, lane, terms) if pooled else 0.0
        _, targets, _ = allocate(fund, get_supply(state, lane), most, terms)
        acts[lane, LENDING_TARGET] = targets.lending
        acts[lane, POOL_TARGET] = targets.pool
        acts[lane, POOL_FIRST] = targets.pool_first


@kernel
def allocate_all(state: FloatArray, terms: Terms) -> None:
    """Move every lane's assets towards their targets, on a day without reports or a pool.

    `state` is of shape (STATE_SIZE,).
    """
    for lane in range(WIDTH):
        fund, _, _ = allocate(get_fund(state, lane), get_supply(state, lane), 0.0, terms)
        put_fund(state, lane, fund)


@inlined
def notify(state: FloatArray, day: float, tokens: float, terms: Terms) -> None:
    """Start a period of rewards where there has been no exploit; `state` of shape (STATE_SIZE,)."""
    for lane in range(WIDTH):
        # worked out for all, as in `manage`
        before = get_staking(state, lane)
        after = staking.notify(before, tokens, day, terms.period_days)
        goes_on = day < state[EXPLOIT_DAY + lane]
        state[RATE_PER_DAY + lane] = after.rate_per_day if goes_on else before.rate_per_day
        state[PERIOD_END_DAY + lane] = after.period_end_day if goes_on else before.period_end_day
