# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Books of Revenue and of what was paid out
@custom:contract-name revenue_books
@license GNU Affero General Public License v3.0 only
@notice What a mine earned and what its holders were paid are written down apart. A
        payment is profit as far as recorded revenue covers it, and return of capital
        beyond: holders are then paid from somebody's deposit, their own perhaps.
@dev The books believe the one who records: no contract can see a mine. Amounts are in
     units of the funds token. A payment is judged when it is made; revenue that is
     recorded later covers later payments only.
"""


_MAX_BPS: constant(uint256) = 10_000


# @dev The part of the revenue that is promised to holders (10,000 = 100 %).
payout_bps: public(immutable(uint256))


# @dev All revenue recorded so far.
recorded_revenue: public(uint256)


# @dev What of all payments recorded revenue covered.
distributed_profit: public(uint256)


# @dev What of all payments no revenue covered.
returned_capital: public(uint256)


event RevenueRecorded:
    by: indexed(address)
    amount: uint256
    total: uint256


event ReturnOfCapital:
    by: indexed(address)
    amount: uint256
    total: uint256


@deploy
def __init__(payout_bps_: uint256):
    """
    @notice Opens empty books.
    @param payout_bps_ The promised part of the revenue, at most 10,000 (100 %).
    """
    assert payout_bps_ <= _MAX_BPS, "revenue_books: payout above 100 %"
    payout_bps = payout_bps_


@external
@view
def undistributed_revenue() -> uint256:
    """
    @notice Returns the recorded revenue that no payment has used yet.
    @return uint256 Units of the funds token.
    """
    return self._undistributed_revenue()


@external
@view
def payout_owed() -> uint256:
    """
    @notice Returns by how much payments of profit fall short of the promised part.
    @return uint256 Units of the funds token, rounded down; zero where there is none.
    """
    promised: uint256 = self.recorded_revenue * payout_bps // _MAX_BPS
    return promised - min(promised, self.distributed_profit)


@internal
def _record(amount: uint256):
    """
    @notice Adds revenue.
    @param amount Units of the funds token, above zero.
    """
    assert amount != 0, "revenue_books: no revenue"
    self.recorded_revenue += amount
    log RevenueRecorded(by=msg.sender, amount=amount, total=self.recorded_revenue)


@internal
def _book(amount: uint256, profit: uint256):
    """
    @notice Books a payment, of which `profit` at most counts as profit.
    @param amount The payment, in units of the funds token.
    @param profit The part that revenue covers, at most `amount`.
    """
    self.distributed_profit += profit
    capital: uint256 = amount - profit
    if capital != 0:
        self.returned_capital += capital
        log ReturnOfCapital(by=msg.sender, amount=capital, total=self.returned_capital)


@internal
@view
def _undistributed_revenue() -> uint256:
    """
    @notice Returns recorded revenue less paid profit.
    """
    return self.recorded_revenue - self.distributed_profit
