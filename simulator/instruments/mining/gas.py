"""Gas of the holder's transactions, as the replay measures it on Anvil; a test holds it."""

HOLDER_GAS = {"enter": 249_320, "claim": 95_484, "leave": 228_669}
"""Approvals included; a claim is the mean over tokens and payments."""

STAKING_GAS = {"stake": 337_867, "claim": 50_715, "leave": 180_154}
"""Of staking, and what claiming and leaving cost more than a holder's."""
