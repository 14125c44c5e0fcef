# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Price and Proof-of-Reserve Feed
@custom:contract-name price_feed
@license GNU Affero General Public License v3.0 only
@notice A Chainlink-style feed whose rounds a keeper writes: the price of a unit
        of the base in the quote, or, as proof of reserve, the attested ounces.
        Stage prop: its modes let a scenario play a feed that stands still or
        fails, and its market status tells a weekend from a stale answer.
"""


from .interfaces import IAggregatorV3
implements: IAggregatorV3


from snekmate.auth import ownable
initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


# @dev Round as stored; a keeper starts and answers it in one transaction, so
# that one time serves as `startedAt` and as `updatedAt`.
struct Round:
    answer: int256
    updated_at: uint256


# @dev Market status: 0 = unknown, 1 = closed, 2 = open.
_MAX_MARKET_STATUS: constant(uint8) = 2


# @dev Modes: reads and updates work, updates fail, reads fail.
_MODE_NORMAL: constant(uint256) = 0
_MODE_FROZEN: constant(uint256) = 1
_MODE_REVERTING: constant(uint256) = 2


# @dev Version of this implementation.
version: public(constant(uint256)) = 1


# @dev Decimals of every answer (8 for prices in USD and for ounces).
decimals: public(immutable(uint8))


# @dev What is quoted in what, for example "XAU / USD".
description: public(immutable(String[64]))


# @dev The only account that may write rounds, status and mode.
keeper: public(address)


# @dev 0 = unknown, 1 = closed, 2 = open.
marketStatus: public(uint8)


# @dev 0 = normal, 1 = frozen, 2 = reverting.
mode: public(uint256)


_latest_round: uint80
_rounds: HashMap[uint80, Round]


event MarketStatusSet:
    status: indexed(uint8)


event ModeSet:
    mode: indexed(uint256)


event KeeperSet:
    old_keeper: indexed(address)
    new_keeper: indexed(address)


@deploy
def __init__(decimals_: uint8, description_: String[64], keeper_: address):
    """
    @notice Deploys a feed without a round; the deployer becomes its owner.
    @param decimals_ The decimals of every answer.
    @param description_ What is quoted in what, up to 64 characters.
    @param keeper_ The 20-byte address that writes rounds, status and mode.
    """
    ownable.__init__()
    decimals = decimals_
    description = description_
    self._set_keeper(keeper_)


@external
def update_answer(answer: int256):
    """
    @notice Starts and answers a new round.
    @dev Zero and negative answers are accepted: refusing them is the duty of
         the consumer, and a test must be able to play them.
    @param answer The answer, with `decimals()` decimals.
    """
    self._check_keeper()
    assert self.mode != _MODE_FROZEN, "price_feed: frozen"

    round_id: uint80 = self._latest_round + 1
    self._latest_round = round_id
    self._rounds[round_id] = Round(answer=answer, updated_at=block.timestamp)

    id: uint256 = convert(round_id, uint256)
    log IAggregatorV3.NewRound(roundId=id, startedBy=msg.sender, startedAt=block.timestamp)
    log IAggregatorV3.AnswerUpdated(current=answer, roundId=id, updatedAt=block.timestamp)


@external
def set_market_status(status: uint8):
    """
    @notice Says whether the market trades now.
    @param status 0 = unknown, 1 = closed, 2 = open.
    """
    self._check_keeper()
    assert status <= _MAX_MARKET_STATUS, "price_feed: unknown market status"
    self.marketStatus = status
    log MarketStatusSet(status=status)


@external
def set_mode(new_mode: uint256):
    """
    @notice Lets the feed stand still or fail, or work again.
    @param new_mode 0 = normal, 1 = frozen (no updates, reads keep the last
           round), 2 = reverting (no reads of rounds).
    """
    self._check_keeper()
    assert new_mode <= _MODE_REVERTING, "price_feed: unknown mode"
    self.mode = new_mode
    log ModeSet(mode=new_mode)


@external
def set_keeper(new_keeper: address):
    """
    @notice Hands the writing of rounds to another account; owner only.
    @param new_keeper The 20-byte address of the new keeper.
    """
    ownable._check_owner()
    self._set_keeper(new_keeper)


@external
@view
def getRoundData(_roundId: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice Returns one round.
    @param _roundId The id of the round; the first one is 1.
    @return uint80 The id of the round.
    @return int256 The answer, with `decimals()` decimals.
    @return uint256 When the round started, Unix seconds.
    @return uint256 When the round was updated, Unix seconds.
    @return uint80 The round in which it was answered (the same).
    """
    return self._round(_roundId)


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice Returns the newest round, laid out as in `getRoundData`.
    """
    return self._round(self._latest_round)


@internal
@view
def _round(round_id: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice Returns the stored round `round_id`, unless reads fail.
    @dev A round that was never written has `updated_at` zero.
    """
    assert self.mode != _MODE_REVERTING, "price_feed: reverting"
    stored: Round = self._rounds[round_id]
    assert stored.updated_at != 0, "price_feed: no data"
    return round_id, stored.answer, stored.updated_at, stored.updated_at, round_id


@internal
@view
def _check_keeper():
    """
    @notice Reverts unless the caller is the keeper.
    """
    assert msg.sender == self.keeper, "price_feed: caller is not the keeper"


@internal
def _set_keeper(new_keeper: address):
    """
    @notice Stores the keeper; a feed without one could never be updated.
    """
    assert new_keeper != empty(address), "price_feed: keeper is the zero address"
    log KeeperSet(old_keeper=self.keeper, new_keeper=new_keeper)
    self.keeper = new_keeper
