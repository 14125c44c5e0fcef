"""Solar panels as tokens: energy income, a bonus for locking, and the silver at the end."""

from simulator.instruments.card import Instrument
from simulator.instruments.solar_nft.gas import HOLDER_GAS
from simulator.instruments.solar_nft.terms import SolarNftTerms

_ROOM = "simulator.instruments.solar_nft"
SOLAR_NFT = Instrument(
    kind="solar_nft",
    about="a token (ERC-721) on a solar panel: its energy, a bonus for locking, its silver",
    terms=SolarNftTerms,
    model=f"{_ROOM}.model:MODEL",
    stagecraft=f"{_ROOM}.player:STAGE",
    page=f"{_ROOM}.page:PAGE",
    gas=HOLDER_GAS,
)
CARDS = (SOLAR_NFT,)
