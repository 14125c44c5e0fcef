# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Shares of a Pool that are left by Request
@custom:contract-name pool_shares
@license GNU Affero General Public License v3.0 only
@notice Who deposits gets shares of what the pool owns. Who leaves asks first, waits, and
        claims within a window: so nobody leaves ahead of a price that he sees coming.
        Shares cannot be handed on.
@dev Bookkeeping only: the importing contract knows what the pool owns, and moves tokens.
"""


from . import share_math


struct Request:
    shares: uint256
    # Unix seconds.
    ripe_at: uint256


# @dev A pool whose share is worth less than this part of what it cost is ruined: a
# deposit would get more shares than can be counted.
_RUIN: constant(uint256) = 10**6


# @dev Shares by holder, those asked for included.
shares: public(HashMap[address, uint256])


# @dev All shares.
total_shares: public(uint256)


# @dev What a holder has asked to take out.
requests: public(HashMap[address, Request])


event WithdrawRequested:
    owner: indexed(address)
    shares: uint256
    ripe_at: uint256


event WithdrawCancelled:
    owner: indexed(address)
    shares: uint256


@internal
def _issue(owner: address, assets: uint256, worth: uint256) -> uint256:
    """
    @notice Issues shares for a deposit. What the pool owns while nobody has a share goes to
            shares that nobody holds.
    @param owner The 20-byte address of the depositor.
    @param assets The amount that arrived.
    @param worth What the pool owned before.
    @return uint256 The shares, rounded down.
    """
    if self.total_shares == 0:
        self.total_shares = worth
    assert worth * _RUIN >= self.total_shares, "pool_shares: pool is ruined"
    issued: uint256 = share_math._to_shares(assets, worth, self.total_shares, False)
    share_math._check_fair(assets, issued, worth, self.total_shares)
    self.shares[owner] += issued
    self.total_shares += issued
    return issued


@internal
def _request(owner: address, amount: uint256, cooldown: uint256):
    """
    @notice Asks to take out shares, on top of those asked for, and starts the wait anew.
    @param owner The 20-byte address of the holder.
    @param amount The shares.
    @param cooldown The wait in seconds.
    """
    assert amount != 0, "pool_shares: nothing requested"
    asked: uint256 = self.requests[owner].shares + amount
    assert asked <= self.shares[owner], "pool_shares: exceeds shares"
    self.requests[owner] = Request(shares=asked, ripe_at=block.timestamp + cooldown)
    log WithdrawRequested(owner=owner, shares=amount, ripe_at=block.timestamp + cooldown)


@internal
def _cancel(owner: address):
    """
    @notice Withdraws a request, lapsed or not.
    @param owner The 20-byte address of the holder.
    """
    asked: uint256 = self.requests[owner].shares
    assert asked != 0, "pool_shares: nothing requested"
    self.requests[owner] = empty(Request)
    log WithdrawCancelled(owner=owner, shares=asked)


@internal
def _redeem(owner: address, worth: uint256, free: uint256, window: uint256) -> uint256:
    """
    @notice Burns what was asked for, as far as free capital reaches.
    @param owner The 20-byte address of the holder.
    @param worth What the pool owns.
    @param free What can leave it.
    @param window How long a request can be claimed, in seconds.
    @return uint256 The assets to be paid, rounded down.
    """
    request: Request = self.requests[owner]
    assert request.shares != 0, "pool_shares: nothing requested"
    assert block.timestamp >= request.ripe_at, "pool_shares: cooling down"
    assert block.timestamp <= request.ripe_at + window, "pool_shares: request lapsed"
    burnt: uint256 = request.shares
    assets: uint256 = share_math._to_assets(burnt, worth, self.total_shares, False)
    if assets > free:
        assets = free
        burnt = min(burnt, share_math._to_shares(free, worth, self.total_shares, True))
    assert assets != 0, "pool_shares: no free capital"
    self.requests[owner].shares = request.shares - burnt
    self.shares[owner] -= burnt
    self.total_shares -= burnt
    return assets
