# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Time-weighted Average of a Feed's Rounds
@custom:contract-name feed_average
@license GNU Affero General Public License v3.0 only
@notice The price of a period that is over, from the rounds of a feed alone: each
        answer counts for the time it was in force. Whoever asks, and whenever, gets
        the same price. A single wrong round counts for its own time only.
@dev Rounds without a positive answer are left out: the answer before stays in force.
     Prices have 18 decimals.
"""


from ..interfaces import IAggregatorV3


struct Reading:
    price: uint256
    updated_at: uint256


# @dev Prices have 18 decimals.
_DECIMALS: constant(uint256) = 18


# @dev The most rounds that are read; of a busier period the newest ones count.
_MAX_ROUNDS: constant(uint256) = 1_024


# @dev How long a feed must have been silent before its last answer counts, however
# old it was at the end of the period. In seconds.
_SILENCE: constant(uint256) = 30 * 86_400


# @dev The part of a round id that counts rounds; what is above it is a proxy's phase.
_COUNTER: constant(uint80) = 2**64 - 1


@internal
@view
def _settlement(
    feed: address, scale: uint256, start: uint256, end: uint256, last_round: uint80, max_age: uint256
) -> uint256:
    """
    @notice Returns the price of the period from `start` to `end`.
    @dev Where the last answer was older than `max_age` at the end, the next round's
         answer is the price; without one, the average after 30 days of silence.
    @param feed The 20-byte address of a feed (`AggregatorV3Interface`).
    @param scale What lifts an answer to 18 decimals.
    @param start The beginning of the period, Unix seconds.
    @param end Its end, in the past or now.
    @param last_round The newest round from before the end.
    @param max_age The greatest age of the last answer at the end, in seconds.
    @return uint256 The price with 18 decimals, rounded down.
    """
    last: Reading = self._round(feed, scale, last_round)
    assert last.updated_at < end, "feed_average: round is too new"
    following: Reading = self._following(feed, scale, last_round)
    assert following.updated_at == 0 or following.updated_at >= end, "feed_average: not the last round"
    if end - last.updated_at > max_age:
        if following.price != 0:
            return following.price
        assert block.timestamp >= end + _SILENCE, "feed_average: feed is silent"
    return self._average(feed, scale, start, end, last_round)


@internal
@view
def _standing(feed: address, scale: uint256, start: uint256, end: uint256) -> uint256:
    """
    @notice Returns the price of a period that is not over as it stands: with the latest
            answer for what is to come of it.
    @param feed The 20-byte address of the feed.
    @param scale What lifts an answer to 18 decimals.
    @param start The beginning of the period, Unix seconds.
    @param end Its end, not in the past.
    @return uint256 The mean with 18 decimals, rounded down.
    """
    return self._average(feed, scale, start, end, self._newest(feed))


@internal
@view
def _average(feed: address, scale: uint256, start: uint256, end: uint256, last_round: uint80) -> uint256:
    """
    @notice Returns the mean of the answers from `start` to `end`, by time in force.
    @dev Walks back from the last round. Time before the first round does not count.
    @param feed The 20-byte address of the feed.
    @param scale What lifts an answer to 18 decimals.
    @param start The beginning, Unix seconds.
    @param end The end.
    @param last_round The newest round from before the end.
    @return uint256 The mean with 18 decimals, rounded down.
    """
    total: uint256 = 0
    until: uint256 = end
    id: uint80 = last_round
    for _: uint256 in range(_MAX_ROUNDS):
        reading: Reading = self._round(feed, scale, id)
        since: uint256 = max(reading.updated_at, start)
        if reading.price != 0 and since < until:
            total += reading.price * (until - since)
            until = since
        if until == start or (id & _COUNTER) <= 1:
            break
        id -= 1
    assert until < end, "feed_average: no answer"
    return total // (end - until)


@internal
@view
def _following(feed: address, scale: uint256, id: uint80) -> Reading:
    """
    @notice Returns the round after `id`; all zero where `id` is the newest.
    @param feed The 20-byte address of the feed.
    @param scale What lifts an answer to 18 decimals.
    @param id The id of the round before.
    @return Reading The round.
    """
    if self._newest(feed) == id:
        return empty(Reading)
    return self._round(feed, scale, id + 1)


@internal
@view
def _newest(feed: address) -> uint80:
    """
    @notice Returns the id of the latest round.
    @param feed The 20-byte address of the feed.
    @return uint80 The id.
    """
    return (staticcall IAggregatorV3(feed).latestRoundData())[0]


@internal
@view
def _round(feed: address, scale: uint256, id: uint80) -> Reading:
    """
    @notice Returns one round; the price is zero where the answer is not positive.
    @param feed The 20-byte address of the feed.
    @param scale What lifts an answer to 18 decimals.
    @param id The id of the round.
    @return Reading The round.
    """
    round_id: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    updated_at: uint256 = 0
    answered_in_round: uint80 = 0
    round_id, answer, started_at, updated_at, answered_in_round = staticcall IAggregatorV3(feed).getRoundData(id)
    assert updated_at != 0, "feed_average: no such round"
    if answer <= 0:
        return Reading(price=0, updated_at=updated_at)
    return Reading(price=convert(answer, uint256) * scale, updated_at=updated_at)


@internal
@view
def _scale(feed: address) -> uint256:
    """
    @notice Returns what lifts an answer of `feed` to 18 decimals.
    @param feed The 20-byte address of the feed.
    @return uint256 A power of ten.
    """
    decimals: uint256 = convert(staticcall IAggregatorV3(feed).decimals(), uint256)
    assert decimals <= _DECIMALS, "feed_average: more than 18 decimals"
    return 10 ** (_DECIMALS - decimals)
