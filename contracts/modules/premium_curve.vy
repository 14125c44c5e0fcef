# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Premium Rate by Utilisation
@custom:contract-name premium_curve
@license GNU Affero General Public License v3.0 only
@notice The yearly premium per sum insured: a floor, a slope in the utilisation of
        the pool, and a ceiling.
@dev All scales are 1e18 = 100 %.
"""


# @dev 100 %.
_WAD: constant(uint256) = 10 ** 18


# @dev The steepest slope.
_MAX_SLOPE: constant(uint256) = 10 * _WAD


@internal
@pure
def _check(floor_rate: uint256, slope: uint256, ceiling: uint256):
    """
    @notice Refuses a curve that is not one.
    @param floor_rate The rate at no utilisation (1e18 = 100 % a year).
    @param slope What the rate gains from none to full utilisation, at most 1000 %.
    @param ceiling The greatest rate, at most 100 %.
    """
    assert floor_rate <= ceiling, "premium_curve: floor above the ceiling"
    assert ceiling <= _WAD, "premium_curve: ceiling above 100 %"
    assert slope <= _MAX_SLOPE, "premium_curve: slope above 1000 %"


@internal
@pure
def _rate(utilisation: uint256, floor_rate: uint256, slope: uint256, ceiling: uint256) -> uint256:
    """
    @notice Returns the rate at one utilisation, rounded down.
    @param utilisation Sums insured over capacity (1e18 = 100 %).
    @param floor_rate The rate at no utilisation.
    @param slope What the rate gains from none to full utilisation.
    @param ceiling The greatest rate.
    @return uint256 The rate (1e18 = 100 % a year).
    """
    return min(ceiling, floor_rate + slope * utilisation // _WAD)


@internal
@pure
def _mean_rate(before: uint256, after: uint256, floor_rate: uint256, slope: uint256, ceiling: uint256) -> uint256:
    """
    @notice Returns the mean of the rates before and after a purchase, rounded down.
    @dev The curve is concave, so this is never more than what the same purchase in
         parts would pay: splitting does not save anything.
    @param before The utilisation before (1e18 = 100 %).
    @param after The utilisation after.
    @param floor_rate The rate at no utilisation.
    @param slope What the rate gains from none to full utilisation.
    @param ceiling The greatest rate.
    @return uint256 The rate (1e18 = 100 % a year).
    """
    low: uint256 = self._rate(before, floor_rate, slope, ceiling)
    high: uint256 = self._rate(after, floor_rate, slope, ceiling)
    return (low + high) // 2
