"""Every random stream of the simulation, named once.

A draw is Philox4x32-10 with key = seed and counter = (step, stream, path): two
streams never share a counter, so adding an asset or an instrument leaves the
draws of all others as they were. A number, once given, is never given again;
changing one changes every result of its owner.

Numbers
    1-31     diffusion of an asset.
    32-63    shared by many assets; from 36 on the macro factors, 60 and 61 shocks, 62
             the fall of USDC.
    65-95    jumps of an asset: 64 + its diffusion stream.
    128-191  lowest byte of the instruments', each named in its own room (`Stream` there); a label
             that is not the kind adds 24 bits of its hash above (`instruments.registry`). 142 and
             143 are those of parameter sets, 155 that of assumption sets; 135, 136, 139 and 140
             were given once and are free for nobody. The next one to be given is 156.
    192-255  lowest byte of those of products from outside, 32 bits of a hash.
"""

from __future__ import annotations

from enum import IntEnum, unique

JUMP_OFFSET = 64


@unique
class Stream(IntEnum):
    """The second counter word of a draw."""

    GOLD = 1
    SILVER = 2
    COPPER = 3
    BITCOIN = 4
    ALTCOINS = 5
    BIG_TECH = 6
    SMALL_CAPS = 7
    GOLD_MINERS = 8
    COPPER_MINERS = 9
    TREASURY_BILLS = 10

    CHI_SQUARE = 32
    BLOCK_START = 33
    BLOCK_END = 34
    REAL_RATE = 36
    INFLATION = 37
    PURCHASES = 38
    SALES = 39
    SILVER_INDUSTRIAL = 40
    SILVER_JEWELLERY = 41
    SILVER_INVESTMENT = 42
    SILVER_SUPPLY = 43
    COPPER_DEMAND = 44
    COPPER_SUPPLY = 45
    LIQUIDITY = 46
    REGIME = 47
    STRESS = 48
    OUTAGE = 49
    SHOCK_SHARE = 60
    SHOCK_COMMON = 61
    STABLECOIN_FALL = 62

    GOLD_JUMP = JUMP_OFFSET + 1
    SILVER_JUMP = JUMP_OFFSET + 2
    COPPER_JUMP = JUMP_OFFSET + 3
    BITCOIN_JUMP = JUMP_OFFSET + 4
    ALTCOINS_JUMP = JUMP_OFFSET + 5
    BIG_TECH_JUMP = JUMP_OFFSET + 6
    SMALL_CAPS_JUMP = JUMP_OFFSET + 7
    GOLD_MINERS_JUMP = JUMP_OFFSET + 8
    COPPER_MINERS_JUMP = JUMP_OFFSET + 9
    TREASURY_BILLS_JUMP = JUMP_OFFSET + 10

    PARAMETERS = 142
    PARAMETER_DRIFTS = 143
    ASSUMPTIONS = 155


def diffusion_stream(asset: str) -> Stream:
    """Return the stream of the diffusion of `asset`, a lower-case name such as "gold"."""
    return Stream[asset.upper()]


def jump_stream(asset: str) -> Stream:
    """Return the stream of the jumps of `asset`, a lower-case name such as "gold"."""
    return Stream(diffusion_stream(asset) + JUMP_OFFSET)
