"""One day of the vault's world, in the order of `docs/mechanics.md`, over steps and paths."""

from __future__ import annotations

import numpy as np

from simulator.instruments.gold_vault.borrowers import (
    end_loans,
    forget_liquidations,
    lend_in_turn,
    record_loans,
    record_repayments,
)
from simulator.instruments.gold_vault.cohorts import (
    GROUP,
    find_losses,
    find_unlike,
    lend_all,
    repay_all,
    spread_debts,
)
from simulator.instruments.gold_vault.holder import (
    holder_leaves,
    holder_redeems,
    pay_gas,
    sell_rewards,
    take_backing,
    take_prices,
    value_holder,
    write_sellable,
)
from simulator.instruments.gold_vault.lanes import (
    ATTRIBUTED_OUNCES,
    ATTRIBUTED_USD,
    BACKING_READ,
    DEMAND_OUNCES,
    EVENTS,
    EXIT_OUNCES,
    EXIT_USD,
    EXPLOIT_DAY,
    EXPLOIT_SHARE,
    FEED_USD,
    FLOW,
    GOLD_READ,
    HELD_UP,
    IMBALANCE,
    MARK_OUNCES,
    MARK_USD,
    MARKED,
    POOL_ALL_SHARES,
    POOL_GOLD,
    POOL_PAID,
    REWARD_USD,
    STATE_SIZE,
    TOKEN_READ,
    UNPAID,
    UTILISATION,
    VOLUME,
    WIDTH,
)
from simulator.instruments.gold_vault.pool_leg import (
    fill_pool,
    keep_at_market,
    leave_pool,
    make_noise,
)
from simulator.instruments.gold_vault.record import write_acts, write_observed
from simulator.instruments.gold_vault.stages import (
    allocate_all,
    begin,
    let_time_pass,
    manage,
    manage_with_pool,
    move_crowd,
    notify,
    record_crowd,
    record_management,
    report_pool_losses,
    settle_crowd,
    take_losses,
    unlock_losses,
)
from simulator.instruments.gold_vault.state import (
    N_ACTIONS,
    N_SOURCES,
    DriverArrays,
    Numbers,
    Results,
)
from simulator.jit import kernel
from simulator.mechanics.prefetch import will_read, will_write
from simulator.mechanics.rows import read_row, write_row


@kernel
def run(numbers: Numbers, drivers: DriverArrays, results: Results) -> None:
    """Run all paths of a block over all steps; the arrays are described in `state`."""
    terms, needs, gas_times = numbers.terms, numbers.needs, numbers.gas_times
    claim_every_days, reports = numbers.claim_every_days, drivers.reports
    gold_usd, feed_usd, token_usd = drivers.gold_usd, drivers.feed_usd, drivers.token_usd
    backing, premium = drivers.backing, drivers.premium
    demand_ounces, flow = drivers.demand_ounces, drivers.flow
    reward_usd, reward_tokens = drivers.reward_usd, drivers.reward_tokens
    exploit_step, exploit_share = drivers.exploit_step, drivers.exploit_share
    mark_ounces, mark_usd = results.mark_ounces, results.mark_usd
    exit_ounces, exit_usd = results.exit_ounces, results.exit_usd
    utilisation, sellable = results.utilisation, results.sellable
    attribution, gains = results.attribution, results.gains
    events, unpaid = results.events, results.unpaid
    actions, observed = results.actions, results.observed
    volume, imbalance, pooled = drivers.volume_usdc, drivers.imbalance, numbers.pooled
    leaving, away = drivers.leaving, drivers.away
    pool_gold, pool_shares = results.pool_gold, results.pool_shares
    pool_fees = results.pool_fees
    bad_debt_usd, liquidated_usd = results.bad_debt_usd, results.liquidated_usd
    n_steps, n_paths = gold_usd.shape[0] - 1, gold_usd.shape[1]
    recorded = actions.shape[0] > 0
    # rows begin at lines of the cache: a vector across two of them costs twice
    memory = np.empty(STATE_SIZE + 8)
    skip = (64 - memory.ctypes.data % 64) // 8 % 8
    state = memory[skip : skip + STATE_SIZE]
    acts = np.zeros((WIDTH, N_ACTIONS))
    unlike = np.empty(WIDTH // GROUP, np.bool_)
    for first in range(0, n_paths, WIDTH):
        begin(state, terms)
        unlike[:] = False
        # the one copy as float64, exact up to 2^53 days: beside the other rows, as a number of
        # their kind, it stands in no vector's way
        for lane in range(WIDTH):
            state[EXPLOIT_DAY + lane] = float(exploit_step[first + lane])
            state[EXPLOIT_SHARE + lane] = exploit_share[first + lane]
        losses_locked = False
        for step in range(n_steps + 1):
            day = float(step)
            last = step == n_steps
            managing = reports[step]
            claiming = step > 0 and step % claim_every_days == 0 and not last
            tokens = 0.0 if last else reward_tokens[step]
            read_row(state, GOLD_READ, gold_usd, step, first, WIDTH)
            read_row(state, FEED_USD, feed_usd, step, first, WIDTH)
            read_row(state, TOKEN_READ, token_usd, step, first, WIDTH)
            read_row(state, BACKING_READ, backing, step, first, WIDTH)
            read_row(state, DEMAND_OUNCES, demand_ounces, step, first, WIDTH)
            read_row(state, FLOW, flow, step, first, WIDTH)
            read_row(state, REWARD_USD, reward_usd, step, first, WIDTH)
            # lines of the next step's drivers and results, a few after each stage
            if take_prices(state) > 0:
                take_backing(state, premium, step, first)
            will_read(gold_usd, step + 1, first, WIDTH)
            if pooled:
                will_read(volume, step + 1, first, WIDTH)
                will_read(imbalance, step + 1, first, WIDTH)
            if losses_locked or pooled:
                losses_locked = unlock_losses(state, day)
            let_time_pass(state, day, terms)
            if pooled:
                if step == 0:
                    fill_pool(state, terms)
                else:
                    keep_at_market(state, gas_times[step], terms)
                    report_pool_losses(state, day, terms, acts)
            will_read(token_usd, step + 1, first, WIDTH)
            will_read(backing, step + 1, first, WIDTH)
            losses = find_losses(state, unlike, day, terms)
            if losses > 0:
                losses_locked = True
                spread_debts(state, unlike)
                for lane in range(WIDTH):
                    if state[MARKED + lane] > 0.0:
                        absent = away.size > 0 and away[step, first + lane]
                        lost, repaid = take_losses(state, lane, day, absent, terms, acts)
                        bad_debt_usd[step, first + lane] = lost
                        liquidated_usd[step, first + lane] = repaid
                find_unlike(state, unlike)
            if recorded:
                # what is recorded is worked out by the same rules on the state of before
                spread_debts(state, unlike)
                record_repayments(state, needs, terms, acts)
            if repay_all(state, unlike, needs, terms) > 0:
                spread_debts(state, unlike)
                for lane in range(WIDTH):
                    if state[MARKED + lane] > 0.0:
                        end_loans(state, lane, terms, acts)
                find_unlike(state, unlike)
            will_read(demand_ounces, step + 1, first, WIDTH)
            will_write(mark_ounces, step + 1, first, WIDTH)
            if recorded:
                record_crowd(state, step, last, terms, acts)
            if not pooled:
                move_crowd(state, step, last, False, terms)
            elif move_crowd(state, step, last, True, terms) > 0:
                settle_crowd(state, day, terms)
            will_read(flow, step + 1, first, WIDTH)
            will_write(mark_usd, step + 1, first, WIDTH)
            if managing:
                if recorded:
                    record_management(state, day, pooled, terms, acts)
                if pooled:
                    manage_with_pool(state, day, terms)
                elif step > 0:
                    manage(state, day, terms)
                else:
                    allocate_all(state, terms)
            will_read(reward_usd, step + 1, first, WIDTH)
            will_write(exit_ounces, step + 1, first, WIDTH)
            if not last:
                if recorded:
                    spread_debts(state, unlike)
                    record_loans(state, needs, terms, acts)
                if lend_all(state, unlike, needs, terms) > 0:
                    spread_debts(state, unlike)
                    for lane in range(WIDTH):
                        if state[HELD_UP + lane] > 0.0:
                            lend_in_turn(state, needs, lane, terms, acts)
                            state[HELD_UP + lane] = 0.0
                    find_unlike(state, unlike)
            will_write(exit_usd, step + 1, first, WIDTH)
            will_write(utilisation, step + 1, first, WIDTH)
            if pooled:
                will_write(pool_gold, step + 1, first, WIDTH)
                will_write(pool_shares, step + 1, first, WIDTH)
                will_write(pool_fees, step + 1, first, WIDTH)
            # a record forgets all acts once they are written
            if losses > 0 and not recorded:
                for lane in range(WIDTH):
                    forget_liquidations(acts, lane)
            if tokens > 0.0:
                notify(state, day, tokens, terms)
            if step == 0:
                pay_gas(state, terms.gas_enter_usd)
            if claiming:
                pay_gas(state, terms.gas_claim_usd * gas_times[step])
            if claiming or last:
                sell_rewards(state, terms)
            if pooled:
                write_row(state, POOL_GOLD, pool_gold, step, first, WIDTH)
                write_row(state, POOL_ALL_SHARES, pool_shares, step, first, WIDTH)
                write_row(state, POOL_PAID, pool_fees, step, first, WIDTH)
                if step > 0 and not last:
                    read_row(state, VOLUME, volume, step, first, WIDTH)
                    read_row(state, IMBALANCE, imbalance, step, first, WIDTH)
                    make_noise(state, terms)
                    if leaving.size > 0:
                        leave_pool(state, leaving[step, first : first + WIDTH], terms)
            value_holder(state, terms.gas_leave_usd * gas_times[step], terms)
            if gains.shape[1] > 0:
                # before the holder leaves: what that costs is in no day
                for source in range(N_SOURCES):
                    place = ATTRIBUTED_USD + source * WIDTH
                    write_row(state, place, gains[source], step, first, WIDTH)
            if last:
                holder_redeems(state, terms, acts)
                if pooled:
                    settle_crowd(state, day, terms)
                holder_leaves(state, terms.gas_leave_usd * gas_times[step], terms)
                if pooled:
                    write_row(state, POOL_GOLD, pool_gold, step, first, WIDTH)
                    write_row(state, POOL_ALL_SHARES, pool_shares, step, first, WIDTH)
                    write_row(state, POOL_PAID, pool_fees, step, first, WIDTH)
                    # today's come after he has left
                    read_row(state, VOLUME, volume, step, first, WIDTH)
                    read_row(state, IMBALANCE, imbalance, step, first, WIDTH)
                    make_noise(state, terms)
                    if leaving.size > 0:
                        leave_pool(state, leaving[step, first : first + WIDTH], terms)
            if sellable.shape[0] > 0:
                write_sellable(state, sellable, step, first, last)
            write_row(state, MARK_OUNCES, mark_ounces, step, first, WIDTH)
            write_row(state, MARK_USD, mark_usd, step, first, WIDTH)
            write_row(state, EXIT_OUNCES, exit_ounces, step, first, WIDTH)
            write_row(state, EXIT_USD, exit_usd, step, first, WIDTH)
            write_row(state, UTILISATION, utilisation, step, first, WIDTH)
            if recorded:
                spread_debts(state, unlike)
                write_acts(state, acts, actions, step, first, managing, claiming, tokens)
                write_observed(state, observed, step, first)
        for lane in range(WIDTH):
            events[first + lane] = np.int64(state[EVENTS + lane])
            unpaid[first + lane] = state[UNPAID + lane]
        for source in range(N_SOURCES):
            for lane in range(WIDTH):
                row = source * WIDTH + lane
                attribution[0, source, first + lane] = state[ATTRIBUTED_OUNCES + row]
                attribution[1, source, first + lane] = state[ATTRIBUTED_USD + row]
