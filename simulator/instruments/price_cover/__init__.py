"""The price cover: underwriters insure a miner's copper price from a pool of dollars."""

from simulator.instruments.card import Instrument
from simulator.instruments.price_cover.gas import HOLDER_GAS
from simulator.instruments.price_cover.terms import PriceCoverTerms

_ROOM = "simulator.instruments.price_cover"
PRICE_COVER = Instrument(
    kind="price_cover",
    about="a pool that insures a metal's price, and the miner it insures",
    terms=PriceCoverTerms,
    model=f"{_ROOM}.model:MODEL",
    stagecraft=f"{_ROOM}.player:STAGE",
    page=f"{_ROOM}.page:PAGE",
    gas=HOLDER_GAS,
)
CARDS = (PRICE_COVER,)
