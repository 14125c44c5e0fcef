# pragma version ==0.4.3
# pragma evm-version cancun
# pragma optimize codesize
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Index of a Metal and of Miners, by Rounds of a Feed
@custom:contract-name miner_index
@license GNU Affero General Public License v3.0 only
@notice index = metal weight x metal / its base + miner weight x miner / its base. A round
        of the metal's feed is a round of the index; of the miner's feed counts the answer
        that was in force then. So the index of a round is a function of the feeds' rounds
        alone: whoever reads it, and however late.
@dev Rounds of both feeds are numbered from 1 without gaps. Scales: prices, weights and the
     index 1e18 = 1. A round whose answer is not positive has no index (zero).
"""


from .interfaces import IPerpIndex
implements: IPerpIndex


from .interfaces import IAggregatorV3


from .modules import feed


struct Sources:
    metal_feed: address
    miner_feed: address
    # 1e18 = 100 %; they sum to it.
    metal_weight: uint256
    miner_weight: uint256
    # The prices at which the index is 1, 1e18 = 1.
    metal_base: uint256
    miner_base: uint256
    # The greatest age of an answer while its market trades, in seconds.
    max_age: uint256


_WAD: constant(uint256) = 10**18


# @dev The greatest index; what is above it is no answer.
_MAX_INDEX: constant(uint256) = 10**27


# @dev Decimals that every price is scaled to.
_DECIMALS: constant(uint256) = 18


# @dev Rounds without an index that are passed over at once.
_MAX_DEAD_ROUNDS: constant(uint256) = 16


# @dev Halvings that find a round among 2**80.
_MAX_HALVINGS: constant(uint256) = 80


# @dev The feeds, their weights and their bases.
sources: public(immutable(Sources))


@deploy
def __init__(sources_: Sources):
    """
    @notice Sets the feeds and their weights.
    @param sources_ The sources; nobody can change them.
    """
    assert sources_.metal_feed != empty(address), "miner_index: metal feed is the zero address"
    assert sources_.metal_weight + sources_.miner_weight == _WAD, "miner_index: weights do not sum to 1"
    assert sources_.metal_base != 0, "miner_index: metal base is zero"
    if sources_.miner_weight != 0:
        assert sources_.miner_feed != empty(address), "miner_index: miner feed is the zero address"
        assert sources_.miner_base != 0, "miner_index: miner base is zero"
    sources = sources_


@external
@view
def latest_round() -> uint256:
    """
    @notice Returns the newest round of the index.
    @return uint256 The round of the metal's feed.
    """
    return self._newest(sources.metal_feed)


@external
@view
def at(round_id: uint256) -> uint256:
    """
    @notice Returns the index of a round.
    @param round_id The round of the metal's feed, which must be there.
    @return uint256 The index (1e18 = 1), rounded down; zero where there is none.
    """
    return self._at(round_id)


@external
@view
def first_after(round_id: uint256) -> uint256:
    """
    @notice Returns the first round after `round_id` that has an index.
    @param round_id The round.
    @return uint256 The later round; zero while there is none.
    """
    latest: uint256 = self._newest(sources.metal_feed)
    for step: uint256 in range(1, _MAX_DEAD_ROUNDS + 1):
        if round_id + step > latest:
            break
        if self._at(round_id + step) != 0:
            return round_id + step
    return 0


@external
@view
def fresh() -> uint256:
    """
    @notice Returns the latest index; refuses one that is too old while its market trades.
    @return uint256 The index (1e18 = 1).
    """
    # These refuse what is missing, not positive, from the future or too old.
    metal: uint256 = feed._read(sources.metal_feed, sources.max_age)
    miner: uint256 = 0
    if sources.miner_weight != 0:
        miner = feed._read(sources.miner_feed, sources.max_age)
    index: uint256 = 0
    counted: uint256 = 0
    updated_at: uint256 = 0
    index, counted, updated_at = self._made_of(self._newest(sources.metal_feed))
    assert index != 0, "miner_index: no index"
    # The miner's feed is back, and the index still has what it said before it failed.
    is_newest: bool = counted == miner
    assert is_newest or updated_at + sources.max_age >= block.timestamp, "miner_index: miner's answer is too old"
    return index


@external
@view
def is_closed() -> bool:
    """
    @notice Returns whether the metal's market does not trade now.
    @return bool Whether its feed says so.
    """
    return feed._is_market_closed(sources.metal_feed)


@internal
@view
def _at(round_id: uint256) -> uint256:
    """
    @notice Returns the index of a round.
    @param round_id The round, which must be there.
    @return uint256 The index (1e18 = 1), rounded down; zero where there is none.
    """
    return self._made_of(round_id)[0]


@internal
@view
def _made_of(round_id: uint256) -> (uint256, uint256, uint256):
    """
    @notice Returns the index of a round, and the miner's answer in it.
    @param round_id The round, which must be there.
    @return uint256 The index (1e18 = 1), rounded down; zero where there is none.
    @return uint256 The miner's price (1e18 = 1); zero without weight.
    @return uint256 When that was updated, Unix seconds.
    """
    metal: uint256 = 0
    time: uint256 = 0
    metal, time = self._round(sources.metal_feed, round_id)
    if metal == 0:
        return 0, 0, 0
    index: uint256 = sources.metal_weight * metal // sources.metal_base
    miner: uint256 = 0
    updated_at: uint256 = 0
    if sources.miner_weight != 0:
        miner, updated_at = self._in_force(sources.miner_feed, time)
        if miner == 0:
            return 0, 0, 0
        index += sources.miner_weight * miner // sources.miner_base
    return index if index <= _MAX_INDEX else 0, miner, updated_at


@internal
@view
def _newest(source: address) -> uint256:
    """
    @notice Returns the newest round of a feed.
    @param source The 20-byte address of the feed.
    @return uint256 The round.
    """
    return convert((staticcall IAggregatorV3(source).latestRoundData())[0], uint256)


@internal
@view
def _round(source: address, round_id: uint256) -> (uint256, uint256):
    """
    @notice Returns the answer of one round.
    @param source The 20-byte address of the feed.
    @param round_id The round.
    @return uint256 The price (1e18 = 1); zero where it is not positive.
    @return uint256 When it was updated, Unix seconds.
    """
    id: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    updated_at: uint256 = 0
    answered_in: uint80 = 0
    id, answer, started_at, updated_at, answered_in = staticcall IAggregatorV3(source).getRoundData(
        convert(round_id, uint80)
    )
    if answer <= 0 or answer > convert(max_value(int128), int256):
        return 0, updated_at
    decimals: uint256 = convert(staticcall IAggregatorV3(source).decimals(), uint256)
    assert decimals <= _DECIMALS, "miner_index: more than 18 decimals"
    return convert(answer, uint256) * 10 ** (_DECIMALS - decimals), updated_at


@internal
@view
def _in_force(source: address, time: uint256) -> (uint256, uint256):
    """
    @notice Returns the answer of a feed that was in force at a time: the newest not after it.
    @param source The 20-byte address of the feed.
    @param time The time, Unix seconds.
    @return uint256 The price (1e18 = 1); zero where there was none.
    @return uint256 When it was updated, Unix seconds.
    """
    high: uint256 = self._newest(source)
    price: uint256 = 0
    updated_at: uint256 = 0
    price, updated_at = self._round(source, high)
    if updated_at <= time:
        return price, updated_at
    # Rounds are in the order of time: halve until one is left. Zero stands for none.
    low: uint256 = 0
    for _: uint256 in range(_MAX_HALVINGS):
        if high - low <= 1:
            break
        middle: uint256 = (low + high) // 2
        if self._round(source, middle)[1] <= time:
            low = middle
        else:
            high = middle
    if low == 0:
        return 0, 0
    return self._round(source, low)
