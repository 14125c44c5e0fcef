# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Debts on a growing Index
@custom:contract-name debt_index
@license GNU Affero General Public License v3.0 only
@notice Every debt is kept divided by the index at which it was taken up, so that
        one multiplication lets all of them grow.
@dev A borrow rounds the debt up and a repayment rounds its effect down, so that
     cash plus all debts never falls by a movement. The index has 27 decimals
     (1e27 = one).
"""


from snekmate.utils import math


# @dev An index of one.
_RAY: constant(uint256) = 10 ** 27


# @dev 100 %, the scale of rates.
_WAD: constant(uint256) = 10 ** 18


# @dev Seconds of the year that rates refer to.
_YEAR: constant(uint256) = 31_536_000


_index: uint256
_total_scaled: uint256
_scaled: HashMap[address, uint256]


@deploy
def __init__():
    """
    @notice Starts the index at one.
    """
    self._index = _RAY


@internal
@view
def _grown_index(rate: uint256, elapsed: uint256) -> uint256:
    """
    @notice Returns the index after `elapsed` seconds at `rate`, simple interest.
    @param rate The rate (1e18 = 100 % a year).
    @param elapsed The seconds.
    @return uint256 The index (1e27 = one), rounded down.
    """
    return self._index + math._mul_div(self._index, rate * elapsed, _WAD * _YEAR, False)


@internal
@view
def _total_at(index: uint256) -> uint256:
    """
    @notice Returns all debts together at `index`.
    @param index The index (1e27 = one).
    @return uint256 The amount, rounded down.
    """
    return math._mul_div(self._total_scaled, index, _RAY, False)


@internal
@view
def _debt_at(borrower: address, index: uint256) -> uint256:
    """
    @notice Returns what `borrower` owes at `index`.
    @param borrower The 20-byte address of the borrower.
    @param index The index (1e27 = one).
    @return uint256 The amount, rounded up.
    """
    return math._mul_div(self._scaled[borrower], index, _RAY, True)


@internal
def _increase(borrower: address, amount: uint256):
    """
    @notice Raises a debt by at least `amount`.
    @param borrower The 20-byte address of the borrower.
    @param amount The amount borrowed.
    """
    scaled: uint256 = math._mul_div(amount, _RAY, self._index, True)
    self._scaled[borrower] += scaled
    self._total_scaled += scaled


@internal
def _reduce(borrower: address, amount: uint256):
    """
    @notice Lowers a debt by at most `amount`, to nothing where that pays all of it.
    @param borrower The 20-byte address of the borrower.
    @param amount The amount repaid.
    """
    scaled: uint256 = math._mul_div(amount, _RAY, self._index, False)
    if amount >= self._debt_at(borrower, self._index):
        scaled = self._scaled[borrower]
    self._scaled[borrower] -= scaled
    self._total_scaled -= scaled


@internal
def _remove(borrower: address) -> uint256:
    """
    @notice Takes a debt out of the books.
    @param borrower The 20-byte address of the borrower.
    @return uint256 By how much all debts together fell.
    """
    before: uint256 = self._total_at(self._index)
    self._total_scaled -= self._scaled[borrower]
    self._scaled[borrower] = 0
    return before - self._total_at(self._index)
