"""Gas of the holders' transactions, as the replay measures it on Anvil; a test holds it."""

HOLDER_GAS = {
    "enter": 184_361,
    "lock": 90_714,
    "unlock": 46_600,
    "claim": 106_160,
    "leave": 196_463,
}
"""Approvals included; of one token, whatever its watts. A claim is the mean of a year's four: the
first one writes to new storage."""
