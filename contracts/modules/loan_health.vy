# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Value of a Debt against its Collateral
@custom:contract-name loan_health
@license GNU Affero General Public License v3.0 only
@notice Prices both sides of a loan at their feeds. Debt rounds up and collateral
        down, so rounding never makes a loan look safer than it is.
@dev Values and prices have 18 decimals, ratios too (1e18 = 100 %).
"""


from ethereum.ercs import IERC20Detailed


from snekmate.utils import math


from . import feed


# @dev 100 %.
_WAD: constant(uint256) = 10 ** 18


# @dev Prices of both tokens in one currency.
collateral_feed: public(immutable(address))
debt_feed: public(immutable(address))


# @dev Greatest age of a price while its market trades, in seconds.
feed_max_age: public(immutable(uint256))


# @dev One whole token, in units.
_DEBT_UNIT: immutable(uint256)
_COLLATERAL_UNIT: immutable(uint256)


@deploy
def __init__(
    collateral_: address, debt_: address, collateral_feed_: address, debt_feed_: address, feed_max_age_: uint256
):
    """
    @notice Remembers tokens and feeds.
    @param collateral_ The 20-byte address of the collateral token.
    @param debt_ The 20-byte address of the debt token.
    @param collateral_feed_ The 20-byte address of the collateral's price feed.
    @param debt_feed_ The 20-byte address of the debt's price feed, same currency.
    @param feed_max_age_ The greatest age of a price, in seconds.
    """
    collateral_feed = collateral_feed_
    debt_feed = debt_feed_
    feed_max_age = feed_max_age_
    _DEBT_UNIT = 10 ** convert(staticcall IERC20Detailed(debt_).decimals(), uint256)
    _COLLATERAL_UNIT = 10 ** convert(staticcall IERC20Detailed(collateral_).decimals(), uint256)


@internal
@view
def _exceeds(due: uint256, held: uint256, limit: uint256) -> bool:
    """
    @notice Returns whether debt value is above collateral value times `limit`.
    @param due The debt.
    @param held The collateral.
    @param limit The ratio (1e18 = 100 %).
    @return bool Whether the debt is too high for it.
    """
    return self._debt_value(due) * _WAD > self._collateral_value(held) * limit


@internal
@view
def _ltv(due: uint256, held: uint256) -> uint256:
    """
    @notice Returns debt value to collateral value.
    @param due The debt.
    @param held The collateral.
    @return uint256 The ratio (1e18 = 100 %), rounded up; zero without debt, the
            greatest uint256 for debt without collateral.
    """
    if due == 0:
        return 0
    backing: uint256 = self._collateral_value(held)
    if backing == 0:
        return max_value(uint256)
    return math._mul_div(self._debt_value(due), _WAD, backing, True)


@internal
@view
def _seizure(repaid: uint256, held: uint256, bonus: uint256) -> (uint256, uint256):
    """
    @notice Returns what a liquidator pays and gets. Where the collateral is not
            worth the payment and the bonus, all of it goes for what it pays for.
    @param repaid The debt that the liquidator wants to repay.
    @param held The collateral.
    @param bonus The premium (1e18 = 100 %).
    @return uint256 The debt to repay, rounded up where it was cut.
    @return uint256 The collateral to seize, rounded down.
    """
    # Neither product overflows: a price has at most 96 bits, bonus and units 61 each.
    debt_weight: uint256 = feed._read(debt_feed, feed_max_age) * (_WAD + bonus) * _COLLATERAL_UNIT
    collateral_weight: uint256 = feed._read(collateral_feed, feed_max_age) * _WAD * _DEBT_UNIT
    seized: uint256 = math._mul_div(repaid, debt_weight, collateral_weight, False)
    if seized <= held:
        return repaid, seized
    return min(repaid, math._mul_div(held, collateral_weight, debt_weight, True)), held


@internal
@view
def _debt_value(amount: uint256) -> uint256:
    """
    @notice Returns the value of a debt, rounded up.
    @param amount The amount of the debt token.
    @return uint256 The value, 18 decimals.
    """
    return math._mul_div(amount, feed._read(debt_feed, feed_max_age), _DEBT_UNIT, True)


@internal
@view
def _collateral_value(amount: uint256) -> uint256:
    """
    @notice Returns the value of collateral, rounded down.
    @param amount The amount of the collateral token.
    @return uint256 The value, 18 decimals.
    """
    return math._mul_div(amount, feed._read(collateral_feed, feed_max_age), _COLLATERAL_UNIT, False)
