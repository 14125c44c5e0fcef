# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Kinked Borrow Rate
@custom:contract-name kinked_rate
@license GNU Affero General Public License v3.0 only
@notice The yearly borrow rate as a function of utilisation: it rises with
        `slope1` up to the kink and with `slope2` beyond it, so that the last
        units of cash are dear and borrowers are pushed to repay.
@dev All scales are 1e18 = 100 %.
"""


# @dev 100 %.
_WAD: constant(uint256) = 10 ** 18


@internal
@pure
def _check(kink: uint256):
    """
    @notice Refuses a kink at which the rate is not defined.
    @param kink The utilisation at the kink (1e18 = 100 %), above zero.
    """
    assert kink != 0, "kinked_rate: kink is zero"
    assert kink <= _WAD, "kinked_rate: kink above 100 %"


@internal
@pure
def _rate(utilisation: uint256, base: uint256, slope1: uint256, slope2: uint256, kink: uint256) -> uint256:
    """
    @notice Returns the borrow rate a year, rounded down.
    @param utilisation The borrowed share of all assets (1e18 = 100 %), at most 1e18.
    @param base The rate at zero utilisation (1e18 = 100 % a year).
    @param slope1 What the rate gains from zero to the kink.
    @param slope2 What it gains from the kink to full utilisation.
    @param kink The utilisation at the kink, above zero and at most 1e18.
    @return uint256 The rate (1e18 = 100 % a year).
    """
    if utilisation <= kink:
        return base + slope1 * utilisation // kink
    # Only reached below a kink of 100 %, so the divisor is not zero.
    return base + slope1 + slope2 * (utilisation - kink) // (_WAD - kink)
