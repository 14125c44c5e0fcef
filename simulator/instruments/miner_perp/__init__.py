"""The perpetual on a metal and its miners: traders on margin against a pool of dollars."""

from simulator.instruments.card import Instrument
from simulator.instruments.miner_perp.gas import HOLDER_GAS
from simulator.instruments.miner_perp.terms import MinerPerpTerms

_ROOM = "simulator.instruments.miner_perp"
MINER_PERP = Instrument(
    kind="miner_perp",
    about="a metal and its miners traded on margin, against a pool",
    terms=MinerPerpTerms,
    model=f"{_ROOM}.model:MODEL",
    stagecraft=f"{_ROOM}.player:STAGE",
    page=f"{_ROOM}.page:PAGE",
    gas=HOLDER_GAS,
)
CARDS = (MINER_PERP,)
