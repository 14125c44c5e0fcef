# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Checked Reading of a Price or Reserve Feed
@custom:contract-name feed
@license GNU Affero General Public License v3.0 only
@notice Every consumer of a feed reads it through `_read`, so that all of them
        refuse the same answers: none, a negative one, one from the future, and
        one that is too old while its market trades. Metals close at weekends,
        so the age of an answer says nothing while the feed reports its market
        as closed. A feed without `marketStatus` is taken to trade always.
"""


from ..interfaces import IAggregatorV3


from . import try_view


# @dev Every reading is returned with 18 decimals: 1e18 = one unit of the quote.
_DECIMALS: constant(uint256) = 18


# @dev The `marketStatus` of a market that does not trade now
# (0 = unknown, 1 = closed, 2 = open).
_MARKET_CLOSED: constant(uint256) = 1


@internal
@view
def _read(feed: address, max_age: uint256) -> uint256:
    """
    @notice Returns the latest answer of `feed`, scaled to 18 decimals.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @param max_age The greatest age of an answer that still counts while the
           market trades, in seconds.
    @return uint256 The answer with 18 decimals (1e18 = 1).
    """
    answer: uint256 = 0
    age: uint256 = 0
    answer, age = self._latest(feed)
    if age > max_age:
        assert self._is_market_closed(feed), "feed: answer is too old"
    return answer


@internal
@view
def _read_attested(feed: address, max_age: uint256) -> uint256:
    """
    @notice Returns what `_read` does, for an answer that no market sets, such as a
            reserve: whatever trades or not, it is refused once it is too old.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @param max_age The greatest age of an answer that still counts, in seconds.
    @return uint256 The answer with 18 decimals (1e18 = 1).
    """
    answer: uint256 = 0
    age: uint256 = 0
    answer, age = self._latest(feed)
    assert age <= max_age, "feed: answer is too old"
    return answer


@internal
@view
def _latest(feed: address) -> (uint256, uint256):
    """
    @notice Returns the latest answer of `feed` and its age.
    @dev Scaling only ever multiplies, so the reading is exact.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @return uint256 The answer with 18 decimals (1e18 = 1).
    @return uint256 Its age in seconds.
    """
    round_id: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    updated_at: uint256 = 0
    answered_in_round: uint80 = 0
    round_id, answer, started_at, updated_at, answered_in_round = staticcall IAggregatorV3(feed).latestRoundData()

    assert answer > 0, "feed: answer is not positive"
    assert updated_at != 0, "feed: round is not complete"
    assert updated_at <= block.timestamp, "feed: answer is from the future"

    decimals: uint256 = convert(staticcall IAggregatorV3(feed).decimals(), uint256)
    assert decimals <= _DECIMALS, "feed: more than 18 decimals"
    return convert(answer, uint256) * 10 ** (_DECIMALS - decimals), block.timestamp - updated_at


@internal
@view
def _is_market_closed(feed: address) -> bool:
    """
    @notice Returns whether `feed` says that its market does not trade now.
    @dev A plain Chainlink proxy has no such function; its failed call or its
         empty answer must not stop the caller, only leave the age check on.
    @param feed The 20-byte address of a feed.
    @return bool Whether the market status is 1 (closed).
    """
    success: bool = False
    status: uint256 = 0
    success, status = try_view._uint256(feed, method_id("marketStatus()", output_type=Bytes[4]))
    return success and status == _MARKET_CLOSED
