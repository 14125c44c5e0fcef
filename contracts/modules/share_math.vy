# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Conversion between Shares and Assets
@custom:contract-name share_math
@license GNU Affero General Public License v3.0 only
@notice Shares are worth their part of the assets; the first one costs one asset.
@dev One virtual share and one virtual asset stand beside the real ones. They
     move the price by less than one unit of the assets, but they make raising
     it by rounding tricks cost whoever tries at least what others could lose:
     half of what a sole holder of one share adds goes to the virtual share.
     Without any share the price is one whatever assets are left over; the
     caller gives those to somebody first (see `_adopt_orphans` there).
"""


from snekmate.utils import math


# @dev A price of one, and the scale of prices.
_RAY: constant(uint256) = 10 ** 27


# @dev Rounding takes at most one part in this of a deposit, or less than a unit.
_PARTS: constant(uint256) = 1_000


@internal
@pure
def _to_shares(assets: uint256, total_assets: uint256, supply: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the shares that `assets` are worth.
    @param assets The amount to convert.
    @param total_assets The assets that all shares together own.
    @param supply The number of shares.
    @param round_up Whether to round up instead of down.
    @return uint256 The shares, with as many decimals as the asset.
    """
    if supply == 0:
        return assets
    return math._mul_div(assets, supply + 1, total_assets + 1, round_up)


@internal
@pure
def _to_assets(shares: uint256, total_assets: uint256, supply: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the assets that `shares` are worth.
    @param shares The amount to convert.
    @param total_assets The assets that all shares together own.
    @param supply The number of shares.
    @param round_up Whether to round up instead of down.
    @return uint256 The assets.
    """
    if supply == 0:
        return shares
    return math._mul_div(shares, total_assets + 1, supply + 1, round_up)


@internal
@pure
def _is_fair(assets: uint256, shares: uint256, total_assets: uint256, supply: uint256) -> bool:
    """
    @notice Returns whether a deposit gets what it is worth, but for a thousandth. Where a
            share costs much, all that does not fill one goes to those who hold some.
    @param assets The amount deposited.
    @param shares The shares that it gives.
    @param total_assets The assets that all shares together own before it.
    @param supply The number of shares before it.
    @return bool Whether it gives a share, and rounding takes no more.
    """
    worth: uint256 = self._to_assets(shares, total_assets, supply, True)
    return shares != 0 and (assets - min(assets, worth)) * _PARTS <= assets


@internal
@pure
def _check_fair(assets: uint256, shares: uint256, total_assets: uint256, supply: uint256):
    """
    @notice Refuses a deposit that is too small beside the price of a share.
    @param assets The amount deposited.
    @param shares The shares that it gives.
    @param total_assets The assets that all shares together own before it.
    @param supply The number of shares before it.
    """
    assert self._is_fair(assets, shares, total_assets, supply), "share_math: too little for the price of a share"


@internal
@pure
def _price(total_assets: uint256, supply: uint256) -> uint256:
    """
    @notice Returns the assets per share, rounded down.
    @param total_assets The assets that all shares together own.
    @param supply The number of shares.
    @return uint256 The price (1e27 = one asset for one share).
    """
    return self._to_assets(_RAY, total_assets, supply, False)
