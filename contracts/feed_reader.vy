# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Reader of Price Feeds
@custom:contract-name feed_reader
@license GNU Affero General Public License v3.0 only
@notice The readings of `feed` and the averages of `feed_average` at an address of their
        own, for a contract that has no room for them. It has no state, no owner and no feed:
        whoever asks names the feed, and one of it serves everybody.
@dev Prices have 18 decimals (1e18 = 1), times are Unix seconds, ages seconds. What the
     modules and the feed refuse reaches the asking contract in the same words.
"""


from .interfaces import IFeedReader
implements: IFeedReader


from .modules import feed as feed_now
from .modules import feed_average


@external
@view
def scale(feed: address) -> uint256:
    """
    @notice Returns what lifts an answer of `feed` to 18 decimals; refuses a feed with more.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @return uint256 A power of ten.
    """
    return feed_average._scale(feed)


@external
@view
def latest(feed: address, max_age: uint256) -> uint256:
    """
    @notice Returns the latest price; refuses an answer that is not positive or too old.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @param max_age The greatest age of an answer that still counts while the market trades,
           in seconds.
    @return uint256 The price with 18 decimals.
    """
    return feed_now._read(feed, max_age)


@external
@view
def reading(feed: address, round_id: uint80) -> (uint256, uint256):
    """
    @notice Returns one round.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @param round_id The id of the round.
    @return uint256 The price with 18 decimals; zero where the answer is not positive.
    @return uint256 When it was updated, Unix seconds.
    """
    found: feed_average.Reading = feed_average._round(feed, feed_average._scale(feed), round_id)
    return found.price, found.updated_at


@external
@view
def standing(feed: address, start: uint256, end: uint256) -> uint256:
    """
    @notice Returns the price of a period that is not over as it stands: with the latest
            answer for what is to come of it.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @param start The beginning of the period, Unix seconds.
    @param end Its end, not in the past.
    @return uint256 The mean with 18 decimals, rounded down.
    """
    return feed_average._standing(feed, feed_average._scale(feed), start, end)


@external
@view
def settlement(feed: address, start: uint256, end: uint256, last_round: uint80, max_age: uint256) -> uint256:
    """
    @notice Returns the price of a period that is over, from the feed's rounds alone: each
            answer counts for the time it was in force.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @param start The beginning of the period, Unix seconds.
    @param end Its end, in the past or now.
    @param last_round The newest round from before the end.
    @param max_age The greatest age of the last answer at the end, in seconds.
    @return uint256 The price with 18 decimals, rounded down.
    """
    return feed_average._settlement(feed, feed_average._scale(feed), start, end, last_round, max_age)
