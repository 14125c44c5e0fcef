"""Trades what portfolios hold of this chain's tokens at the desk, along one path.

What a portfolio does with a metal token, a share of the vault or a token of a mine is done
again with transactions: purchases and sales at the desk, payments into a raise, claims of
profit, stop orders placed and moved as the model's level moves, executed by the keeper on the
step after the touch. What is held off chain, and positions that cannot be handed on, are not
played.
"""

from simulator.replay.desk.plan import DeskPlan
from simulator.replay.desk.player import DeskPlayer

__all__ = ["DeskPlan", "DeskPlayer"]
