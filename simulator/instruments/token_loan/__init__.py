"""Loans on metal tokens: dollars borrowed against gold or silver, looped into more of it or not.

    terms.py       what a scenario says, with bounds
    drivers.py     what comes from outside: the feed, the market's utilisation, failures
    state.py       the terms as numbers, the sources of return, what is recorded and written
    rows.py        where each number of the kernel's state stands
    opening.py     the first day: buy, lock, borrow, buy again
    loans.py       a loan's day: value, liquidation, the end
    book.py        the market's day: interest, other borrowers, suppliers
    kernel.py      all days of LANES paths side by side
    paths.py       from terms and drivers to everybody's paths; series.py their daily series
    model.py       `draw` and `play`, as the protocol asks
    player.py      the same path on a chain, on stage.py's contracts
    page.py        what the report says

The contract is `contracts/lending_market.vy` with the pair the other way round than in the gold
vault: tokens are locked, USDC is owed. `simulator/mechanics/lending.py` is its twin,
`mechanics/loop.py` that of a loop's sums.
"""

from simulator.instruments.card import Instrument
from simulator.instruments.token_loan.gas import HOLDER_GAS
from simulator.instruments.token_loan.terms import TokenLoanTerms

_ROOM = "simulator.instruments.token_loan"
TOKEN_LOAN = Instrument(
    kind="token_loan",
    about="dollars borrowed against gold or silver tokens, looped into more of them or not",
    terms=TokenLoanTerms,
    model=f"{_ROOM}.model:MODEL",
    stagecraft=f"{_ROOM}.player:STAGE",
    page=f"{_ROOM}.page:PAGE",
    gas=HOLDER_GAS,
)
CARDS = (TOKEN_LOAN,)
