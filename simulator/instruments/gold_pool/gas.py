"""Gas of the transactions, as the replay measures it on Anvil; a test holds it."""

HOLDER_GAS = {"enter": 226_850, "leave": 115_638, "arbitrage": 102_739}
"""The provider's approvals included; the arbitrageur has given his once for all."""
