"""Gas of the holder's transactions, as the replay measures it on Anvil; a test holds it."""

HOLDER_GAS = {"enter": 298_668, "claim": 73_613, "leave": 289_869}
"""Approvals included, of a vault with a pool; leaving costs a little less where no reward is
pending, or where there is no pool."""
