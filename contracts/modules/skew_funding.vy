# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Funding that drifts with the Skew
@custom:contract-name skew_funding
@license GNU Affero General Public License v3.0 only
@notice The longer more is long than short, the faster longs pay: a rate that changes by
        `velocity` a day where the skew is as large as `skew_scale`, by a part of it where
        it is smaller. A fixed part is on top. What a unit of the index pays is kept as one
        number that only time moves; a position pays its change.
@dev Rates are a year's, 1e18 = 100 %; above zero longs pay. A rate holds until the next
     accrual, at the index that stood at the last one: nobody can change what is past.
"""


struct Funding:
    # Annual rate on top of the one that drifts (1e18 = 100 %).
    fixed_rate: int256
    # The greatest rate that drifts, either way.
    max_rate: int256
    # Change of the rate in a day at full skew.
    velocity: int256
    # Skew in the asset's unit that counts as full.
    skew_scale: uint256


_WAD: constant(int256) = 10**18
_DAY: constant(int256) = 86_400
_YEAR: constant(int256) = 31_536_000


# @dev Size x index (1e36) of a unit of a dollar token with six decimals.
_SCALE: constant(int256) = 10**30


# @dev The greatest rate, 1,000 % a year.
_MAX_RATE: constant(int256) = 10 * 10**18


# @dev The rate that drifts (1e18 = 100 % a year).
funding_rate: public(int256)


# @dev What a unit that was long from the beginning has paid, USD x 1e18.
funding_index: public(int256)


# @dev Up to when funding is booked, Unix seconds, and the index that stood then (1e18 = 1).
accrued_at: public(uint256)
last_index: public(uint256)


@deploy
def __init__():
    """
    @notice Begins now, without a rate.
    """
    self.accrued_at = block.timestamp


@internal
@pure
def _check(terms: Funding):
    """
    @notice Refuses terms that no market can have.
    @param terms The terms.
    """
    assert terms.max_rate >= 0 and terms.max_rate <= _MAX_RATE, "skew_funding: greatest rate above 1,000 %"
    assert abs(terms.fixed_rate) <= _MAX_RATE, "skew_funding: fixed rate above 1,000 %"
    assert terms.velocity >= 0 and terms.velocity <= _MAX_RATE, "skew_funding: velocity above 1,000 % a day"
    assert terms.skew_scale != 0, "skew_funding: skew scale is zero"


@internal
def _advance(skew: int256, index: uint256, terms: Funding):
    """
    @notice Books the time since the last accrual.
    @param skew Size long less size short (1e18 = 1), as it was all that time.
    @param index The index now; zero where there is none, and the last one stays.
    @param terms The terms.
    """
    self.funding_rate, self.funding_index = self._now(skew, terms)
    self.accrued_at = block.timestamp
    if index != 0:
        self.last_index = index


@internal
@view
def _now(skew: int256, terms: Funding) -> (int256, int256):
    """
    @notice Returns rate and index as an accrual now would leave them.
    @param skew Size long less size short (1e18 = 1).
    @param terms The terms.
    @return int256 The rate that drifts.
    @return int256 What a unit has paid.
    """
    seconds: int256 = convert(block.timestamp - self.accrued_at, int256)
    price: int256 = convert(self.last_index, int256)
    rate: int256 = self.funding_rate + terms.fixed_rate
    paid: int256 = self.funding_index + rate * price * seconds // (_WAD * _YEAR)
    scale: int256 = convert(terms.skew_scale, int256)
    part: int256 = max(-_WAD, min(_WAD, skew * price // _SCALE * _WAD // scale))
    drifted: int256 = self.funding_rate + terms.velocity * part // _WAD * seconds // _DAY
    return max(-terms.max_rate, min(terms.max_rate, drifted)), paid
