"""Copper mines: a security token on their profit, the token staked, and the ordinary share.

The three share the mine behind them, so they share a room.
"""

from simulator.instruments.card import Instrument
from simulator.instruments.mining.gas import HOLDER_GAS, STAKING_GAS
from simulator.instruments.mining.staking_terms import RevenueStakingTerms
from simulator.instruments.mining.terms import MineEquityTerms, MiningStoTerms

_ROOM = "simulator.instruments.mining"
MINING_STO = Instrument(
    kind="mining_sto",
    about="a security token (ERC-3643) on a copper mine's profit, sold with a promised yield",
    terms=MiningStoTerms,
    model=f"{_ROOM}.model:STO",
    stagecraft=f"{_ROOM}.stagecraft:STO",
    page=f"{_ROOM}.page:PAGE",
    gas=HOLDER_GAS,
)
MINE_EQUITY = Instrument(
    kind="mine_equity",
    about="the ordinary share of such a mine's company, off chain",
    terms=MineEquityTerms,
    model=f"{_ROOM}.model:EQUITY",
)
REVENUE_STAKING = Instrument(
    kind="revenue_staking",
    about="such a token, staked for a share of the mine's revenue",
    terms=RevenueStakingTerms,
    model=f"{_ROOM}.model:STAKING",
    stagecraft=f"{_ROOM}.stagecraft:STAKING",
    gas=STAKING_GAS,
)
CARDS = (MINING_STO, MINE_EQUITY, REVENUE_STAKING)
