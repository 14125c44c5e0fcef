"""Loans and their market day by day, over steps and paths.

State stands in rows of LANES numbers, one for each path, so that what happens every day becomes
vector instructions; liquidations and the end have loops of their own (`loans`).
"""

from __future__ import annotations

import numpy as np

from simulator.instruments.token_loan.book import (
    accrue,
    derive,
    observe,
    others_move,
    set_rate,
    split_supplier,
    start,
    supplier_leaves,
    value_supplier,
)
from simulator.instruments.token_loan.loans import beyond, earn, end, fail, liquidate, split, value
from simulator.instruments.token_loan.opening import open_loan
from simulator.instruments.token_loan.rows import (
    FEED,
    INDEX,
    LEAVE,
    LEAVE_OZ,
    MARK,
    MARK_OZ,
    METAL,
    N_LOAN,
    N_OWN,
    RATE,
    SUPPLIER_LEAVE,
    SUPPLIER_MARK,
    TOKEN,
    UTILISATION,
    WANTED,
)
from simulator.instruments.token_loan.state import Drivers, Numbers, Results
from simulator.jit import kernel
from simulator.mechanics.rows import read_row, write_row
from simulator.units import LANES


@kernel
def run(numbers: Numbers, drivers: Drivers, results: Results) -> None:
    """Run all paths of a block over all steps; fields as their classes describe them."""
    pool, own_terms, costs = numbers.pool, numbers.loans, numbers.costs
    feed, token, metal, wanted = drivers.feed, drivers.token, drivers.metal, drivers.utilisation
    index, used, rate = results.borrow_index, results.utilisation, results.rate
    gains, supplied = results.gains, results.supplied
    observed, others = results.observed, results.others
    n_rows, n_loans, last = feed.shape[0], own_terms.capital.size, feed.shape[0] - 1
    own, loans = np.empty(N_OWN * LANES), np.empty((n_loans, N_LOAN * LANES))
    for first in range(0, feed.shape[1], LANES):
        lanes = slice(first, first + LANES)
        own[:], loans[:] = 0.0, 0.0
        for step in range(n_rows):
            read_row(own, FEED, feed, step, first, LANES)
            read_row(own, TOKEN, token, step, first, LANES)
            read_row(own, METAL, metal, step, first, LANES)
            read_row(own, WANTED, wanted, step, first, LANES)
            derive(own, pool)
            if step == 0:
                start(own, pool)
            else:
                accrue(own, pool)
            for i in range(n_loans):
                loan, by = loans[i], results.attribution[i, :, :, lanes]
                outcome = results.outcomes[i, :, lanes]
                if step == 0:
                    opened = results.opened[i, :, :, lanes]
                    open_loan(own, loan, numbers, i, by, outcome, opened)
                    continue
                if not own_terms.loops[i]:
                    earn(own, loan)
                    fail(own, loan, own_terms.loss[i], drivers.fails[i, lanes], step, by)
                if beyond(own, loan, pool) > 0:
                    backing = drivers.backing[step, lanes]
                    away = drivers.away[step : step + 1, lanes]
                    liquidate(own, loan, numbers, step, backing, away, by, outcome)
            if step < last:
                others_move(own)
                if others.size > 0:
                    write_row(own, WANTED, others, step, first, LANES)
            for i in range(n_loans):
                loan = loans[i]
                value(own, loan, costs, numbers.gas_times[step])
                write_row(loan, MARK, results.mark[1 + i], step, first, LANES)
                write_row(loan, MARK_OZ, results.mark_oz[i], step, first, LANES)
                if gains.shape[2] > 0:
                    by = results.attribution[i, :, :, lanes]
                    split(own, loan, by, gains[i], step, first)
                if step == last:
                    capital_oz = own_terms.capital[i] / metal[0, lanes]
                    by, outcome = results.attribution[i, :, :, lanes], results.outcomes[i, :, lanes]
                    end(own, loan, numbers, capital_oz, by, outcome)
                write_row(loan, LEAVE, results.leave[1 + i], step, first, LANES)
                write_row(loan, LEAVE_OZ, results.leave_oz[i], step, first, LANES)
            set_rate(own, pool)
            value_supplier(own, pool, numbers.gas_times[step])
            write_row(own, SUPPLIER_MARK, results.mark[0], step, first, LANES)
            write_row(own, SUPPLIER_LEAVE, results.leave[0], step, first, LANES)
            write_row(own, INDEX, index, step, first, LANES)
            write_row(own, UTILISATION, used, step, first, LANES)
            write_row(own, RATE, rate, step, first, LANES)
            if supplied.shape[1] > 0:
                split_supplier(own, pool, supplied, step, first)
            if observed.size > 0:
                observe(own, pool, observed[step], first)
        by_source, leave = results.of_supplier[:, lanes], results.leave[0, last, lanes]
        supplier_leaves(own, pool, numbers.gas_times[-1], by_source, leave, results.unpaid[lanes])
