# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Withdrawal Queue in Batches
@custom:contract-name withdrawal_queue
@license GNU Affero General Public License v3.0 only
@notice Requests of one period form a batch. Batches are filled in their order,
        as far as the assets reach; within a batch every request is filled to the
        same part, whenever it is claimed.
@dev Bookkeeping only: the importing contract holds the shares, redeems them, and holds
     the assets that are set aside.
"""


from snekmate.utils import math


struct Batch:
    shares: uint256
    filled_shares: uint256
    filled_assets: uint256


# @dev All requests of a period, by its number.
batches: public(HashMap[uint256, Batch])


# @dev Claims of filled requests that nobody has taken yet: assets, and more than those
# where some that were set aside have been burnt; see `_fill`.
set_aside: public(uint256)


# @dev Requested shares, by batch and owner.
_requested: HashMap[uint256, HashMap[address, uint256]]


# @dev Assets already paid out, by batch and owner.
_claimed: HashMap[uint256, HashMap[address, uint256]]


# @dev The batches with requests, in their order; those before `_head` are filled.
_order: HashMap[uint256, uint256]
_head: uint256
_tail: uint256


event RedeemRequested:
    owner: indexed(address)
    batch: indexed(uint256)
    shares: uint256


event BatchSettled:
    batch: indexed(uint256)
    shares: uint256
    assets: uint256
    open_shares: uint256


event BatchClaimed:
    owner: indexed(address)
    batch: indexed(uint256)
    assets: uint256


@internal
def _request(batch: uint256, owner: address, shares: uint256):
    """
    @notice Adds a request to the batch of the present period.
    @param batch The number of the present period; never below an earlier one.
    @param owner The 20-byte address that will claim.
    @param shares The shares to redeem.
    """
    assert shares != 0, "withdrawal_queue: no shares"
    if self.batches[batch].shares == 0:
        self._order[self._tail] = batch
        self._tail += 1
    self.batches[batch].shares += shares
    self._requested[batch][owner] += shares
    log RedeemRequested(owner=owner, batch=batch, shares=shares)


@internal
@view
def _open_shares(batch: uint256) -> uint256:
    """
    @notice Returns the shares of a batch that are not filled yet.
    @param batch The number of the batch.
    @return uint256 The shares.
    """
    return self.batches[batch].shares - self.batches[batch].filled_shares


@internal
@view
def _check_is_next(batch: uint256):
    """
    @notice Refuses a batch that is filled, empty, or behind one that is not filled.
    @param batch The number of the batch.
    """
    assert self._open_shares(batch) != 0, "withdrawal_queue: nothing to settle"
    assert self._order[self._head] == batch, "withdrawal_queue: an earlier batch is not filled"


@internal
def _fill(batch: uint256, shares: uint256, assets: uint256, there: uint256):
    """
    @notice Fills `shares` of the next batch with `assets`. Where some of what was set aside
            is missing, the new claim is greater than they are by so much as the old ones
            are worth less: who comes after a loss has no part in it.
    @param batch The number of the next batch, checked by the caller.
    @param shares The shares, at most those open.
    @param assets What they are worth now.
    @param there The assets that lay here before.
    """
    claim: uint256 = assets
    if there < self.set_aside:
        # The unit on top keeps a total loss from dividing by zero.
        claim = math._mul_div(assets, self.set_aside + 1, there + 1, False)
    self.batches[batch].filled_shares += shares
    self.batches[batch].filled_assets += claim
    self.set_aside += claim
    open_shares: uint256 = self._open_shares(batch)
    if open_shares == 0:
        self._head += 1
    log BatchSettled(batch=batch, shares=shares, assets=assets, open_shares=open_shares)


@internal
def _claim(batch: uint256, owner: address, there: uint256) -> uint256:
    """
    @notice Books what `owner` can claim as paid and returns what that gets: the same part
            of every claim where assets are missing.
    @param batch The number of the batch.
    @param owner The 20-byte address of the claimant.
    @param there The assets that lie here.
    @return uint256 The assets to pay, rounded down.
    """
    claim: uint256 = self._claimable(batch, owner)
    assert claim != 0, "withdrawal_queue: nothing to claim"
    assets: uint256 = self._worth(claim, there)
    self._claimed[batch][owner] += claim
    self.set_aside -= claim
    log BatchClaimed(owner=owner, batch=batch, assets=assets)
    return assets


@internal
@view
def _worth(claim: uint256, there: uint256) -> uint256:
    """
    @notice Returns what a claim gets of the assets that lie here.
    @param claim The claim, above zero.
    @param there The assets that lie here.
    @return uint256 The assets, rounded down.
    """
    return math._mul_div(claim, min(there, self.set_aside), self.set_aside, False)


@internal
@view
def _claimable(batch: uint256, owner: address) -> uint256:
    """
    @notice Returns the owner's part of the claims of a batch, less what was paid.
    @dev Rounded down: the parts never add up to more than the whole.
    @param batch The number of the batch.
    @param owner The 20-byte address of the claimant.
    @return uint256 The claim.
    """
    requested: uint256 = self._requested[batch][owner]
    if requested == 0:
        return 0
    total: Batch = self.batches[batch]
    return math._mul_div(total.filled_assets, requested, total.shares, False) - self._claimed[batch][owner]


@internal
@view
def _pending(batch: uint256, owner: address) -> uint256:
    """
    @notice Returns the owner's requested shares that are not filled yet.
    @param batch The number of the batch.
    @param owner The 20-byte address of the claimant.
    @return uint256 The shares, rounded up.
    """
    requested: uint256 = self._requested[batch][owner]
    if requested == 0:
        return 0
    return math._mul_div(self._open_shares(batch), requested, self.batches[batch].shares, True)
