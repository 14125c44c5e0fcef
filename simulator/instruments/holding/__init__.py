"""What is held off chain: metal in a safe, funds, shares, coins, bills."""

from simulator.instruments.card import Instrument
from simulator.instruments.holding.terms import HoldingTerms

HOLDING = Instrument(
    kind="holding",
    about="something held off chain that follows a market asset, less what it costs to hold",
    terms=HoldingTerms,
    model="simulator.instruments.holding.model:MODEL",
)
CARDS = (HOLDING,)
