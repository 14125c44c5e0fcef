"""The gold pool: gold tokens against USDC, kept at the feed by arbitrageurs.

Where things are, in the order in which a new term would touch them

    terms.py       what a scenario says, with bounds (no wider than the contract's own)
    drivers.py     what comes from outside: the noise traders' volume (kernel: draws.py)
    state.py       the terms as numbers, the sources of return, trades and observables by column
    kernel.py      the days of LANES paths side by side, over the rows of rows.py
    paths.py       from terms and drivers to the paths of provider and arbitrageur
    model.py       `draw` and `play`, as the protocol asks
    player.py      the same path on a chain
    page.py        what the report says

The contract is `contracts/gold_pool.vy`, `simulator/mechanics/pool.py` its twin. A loop of plain
Python in `tests/instruments/gold_pool/pool_oracle.py` does the same and is compared with the
kernel.
"""

from simulator.instruments.card import Instrument
from simulator.instruments.gold_pool.gas import HOLDER_GAS
from simulator.instruments.gold_pool.terms import GoldPoolTerms

_ROOM = "simulator.instruments.gold_pool"
GOLD_POOL = Instrument(
    kind="gold_pool",
    about="a constant-product pool of gold tokens and USDC, its providers and an arbitrageur",
    terms=GoldPoolTerms,
    model=f"{_ROOM}.model:MODEL",
    stagecraft=f"{_ROOM}.player:STAGE",
    page=f"{_ROOM}.page:PAGE",
    gas=HOLDER_GAS,
)
CARDS = (GOLD_POOL,)
