# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Profit that unlocks linearly
@custom:contract-name profit_lock
@license GNU Affero General Public License v3.0 only
@notice A reported profit is released evenly until its end, so that nobody gains
        by entering just before a report. Losses and fees use it up first.
@dev Times inside are seconds with 18 decimals: the end after a second profit is
     a weighted mean, which whole seconds would cut off. What is locked rounds up,
     so the share price rounds down.
"""


from snekmate.utils import math


# @dev One second, and one whole.
_WAD: constant(uint256) = 10 ** 18


_amount: uint256
_start: uint256
_end: uint256


@internal
@view
def _locked() -> uint256:
    """
    @notice Returns the profit that is still locked now, rounded up.
    @return uint256 The amount, in the asset's smallest unit.
    """
    now: uint256 = block.timestamp * _WAD
    if now >= self._end:
        return 0
    return math._mul_div(self._amount, self._end - now, self._end - self._start, True)


@internal
def _book(profit: uint256, loss: uint256, unlock_seconds: uint256):
    """
    @notice Adds a profit to what is locked, or takes a loss out of it.
    @dev `loss` includes fees. With more profit than loss the new end is the mean
         of the old one and a full period, weighted with the amounts. Otherwise
         the end stays, and what the locked profit does not cover is left to the
         share price.
    @param profit The profit, in the asset's smallest unit.
    @param loss The loss and fees, in the same unit.
    @param unlock_seconds The full period, whole seconds.
    """
    now: uint256 = block.timestamp * _WAD
    remainder: uint256 = self._locked()
    if profit > loss:
        added: uint256 = profit - loss
        left: uint256 = self._end - now if self._end > now else 0
        # 1e33 units over a century stay below 2**256 even when doubled.
        weighted: uint256 = remainder * left + added * unlock_seconds * _WAD
        self._amount = remainder + added
        self._end = now + weighted // self._amount
    else:
        self._amount = remainder - min(remainder, loss - profit)
    self._start = now
