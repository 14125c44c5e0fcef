"""Metal tokens: one token stands for an ounce of gold or of silver."""

from simulator.instruments.card import Instrument
from simulator.instruments.gold_token.terms import GoldTokenTerms, SilverTokenTerms

_ROOM = "simulator.instruments.gold_token"
GOLD_TOKEN = Instrument(
    kind="gold_token",
    about="a token that stands for an ounce of gold in custody (PAXG- or XAUT-like)",
    terms=GoldTokenTerms,
    model=f"{_ROOM}.model:GOLD",
    stagecraft=f"{_ROOM}.player:STAGE",
)
SILVER_TOKEN = Instrument(
    kind="silver_token",
    about="the same for an ounce of silver",
    terms=SilverTokenTerms,
    model=f"{_ROOM}.model:SILVER",
    stagecraft=f"{_ROOM}.player:STAGE",
)
CARDS = (GOLD_TOKEN, SILVER_TOKEN)
