# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Staking of a Mine's Security Token
@custom:contract-name revenue_staking
@license GNU Affero General Public License v3.0 only
@notice `staking_rewards` for a token that earns by itself: this contract is a verified
        holder of the security token, and what the token credits to it belongs at once
        to those who stake, by their share in the stake. Rewards that are notified come
        on top. Profit and rewards are paid in the funds token of the security token.
@dev ABI, events, scales and rounding are those of `staking_rewards`; profit enters its
     `rewardPerTokenStored`. Profit is counted by the token's view before the stake
     changes, and fetched only when somebody is paid: a funds token that is stopped
     cannot hold back a stake. The registry must know this contract, and the compliance
     should have it as custodian, so that a stake may always return to its wallet.
     Trust: an agent's forced transfer out of this contract takes stake without saying
     whose; the last to leave bear it.
"""


from . import staking_rewards
initializes: staking_rewards


exports: (
    staking_rewards.owner,
    staking_rewards.transfer_ownership,
    staking_rewards.setRewardsDuration,
    staking_rewards.setRewardsDistribution,
    staking_rewards.setPaused,
    staking_rewards.recoverERC20,
    staking_rewards.lastTimeRewardApplicable,
    staking_rewards.getRewardForDuration,
    staking_rewards.rewardsToken,
    staking_rewards.stakingToken,
    staking_rewards.rewardsDistribution,
    staking_rewards.rewardsDuration,
    staking_rewards.periodFinish,
    staking_rewards.rewardRate,
    staking_rewards.lastUpdateTime,
    staking_rewards.rewardPerTokenStored,
    staking_rewards.userRewardPerTokenPaid,
    staking_rewards.rewards,
    staking_rewards.totalSupply,
    staking_rewards.balanceOf,
    staking_rewards.owed_rewards,
    staking_rewards.paused,
    staking_rewards.lastPauseTime,
)


interface ISecurityToken:
    def funds_token() -> address: view
    def accumulativeFundsOf(account: address) -> uint256: view
    def withdrawFunds(): nonpayable
    def isFrozen(account: address) -> bool: view
    def recovered_to(lost: address) -> address: view


# @dev What the token has credited to this contract and stakers have been credited with.
credited_profit: public(uint256)


# @dev What dividing profit by the stake left, in units of the funds token x 1e36.
_remainder: uint256


event ProfitCredited:
    amount: uint256


event StakeMoved:
    lost: indexed(address)
    new: indexed(address)
    amount: uint256


@deploy
def __init__(owner_: address, rewards_distribution_: address, token_: address, rewards_duration_: uint256):
    """
    @notice Deploys without stake and without a period.
    @param owner_ The 20-byte address that pauses, recovers and sets the duration.
    @param rewards_distribution_ The 20-byte address that notifies rewards.
    @param token_ The 20-byte address of the security token.
    @param rewards_duration_ The length of a period in seconds, above zero.
    """
    assert token_ != empty(address), "revenue_staking: token is the zero address"
    funds_token: address = staticcall ISecurityToken(token_).funds_token()
    staking_rewards.__init__(owner_, rewards_distribution_, funds_token, token_, rewards_duration_)


@external
@nonreentrant
def stake(amount: uint256):
    """
    @notice Takes `amount` from the caller and stakes it.
    @dev Not for a wallet that was recovered: its stake would be its successor's.
    @param amount The amount in wei of the security token.
    """
    self._check_not_recovered(msg.sender)
    self._credit()
    staking_rewards._stake(msg.sender, amount)


@external
@nonreentrant
def withdraw(amount: uint256):
    """
    @notice Returns `amount` of the caller's stake; possible whenever the security token
            lets him receive.
    @param amount The amount in wei of the security token, above zero.
    """
    self._check_not_recovered(msg.sender)
    self._credit()
    staking_rewards._withdraw(msg.sender, amount)


@external
@nonreentrant
def getReward():
    """
    @notice Pays the caller all profit and rewards earned so far.
    """
    self._pay(msg.sender)


@external
@nonreentrant
def exit():
    """
    @notice Returns the caller's whole stake and pays profit and rewards.
    """
    self._check_not_recovered(msg.sender)
    self._credit()
    staking_rewards._withdraw(msg.sender, staking_rewards.balanceOf[msg.sender])
    self._pay(msg.sender)


@external
@nonreentrant
def notifyRewardAmount(reward: uint256):
    """
    @notice Starts a period of rewards on top of the profit; rewards distribution only.
    @param reward The amount in units of the funds token, which must have arrived.
    """
    self._fetch()
    staking_rewards._notify(reward)


@external
@nonreentrant
def follow_recovery(lost: address):
    """
    @notice Hands stake and earnings of a lost wallet to the one that the security token
            has put in its place; anyone may ask for it, as long as there is something.
    @param lost The 20-byte address of the lost wallet.
    """
    new: address = self._successor(lost)
    assert new != empty(address), "revenue_staking: wallet was not recovered"
    self._credit()
    staking_rewards._update_reward(lost)
    staking_rewards._update_reward(new)
    amount: uint256 = staking_rewards.balanceOf[lost]
    earned: uint256 = staking_rewards.rewards[lost]
    assert amount != 0 or earned != 0, "revenue_staking: nothing to hand on"
    staking_rewards.balanceOf[lost] = 0
    staking_rewards.balanceOf[new] += amount
    staking_rewards.rewards[new] += earned
    staking_rewards.rewards[lost] = 0
    log StakeMoved(lost=lost, new=new, amount=amount)


@external
@view
def earned(account: address) -> uint256:
    """
    @notice Returns what `getReward` would pay an account now.
    @param account The 20-byte address.
    @return uint256 Units of the funds token, rounded down.
    """
    since: uint256 = self._reward_per_token() - staking_rewards.userRewardPerTokenPaid[account]
    grown: uint256 = staking_rewards.balanceOf[account] * since // staking_rewards._PER_TOKEN_SCALE
    return staking_rewards.rewards[account] + grown


@external
@view
def rewardPerToken() -> uint256:
    """
    @notice Returns profit and rewards of one wei of stake since deployment.
    @return uint256 Units of the funds token per wei of stake x 1e36.
    """
    return self._reward_per_token()


@external
@view
def carried() -> uint256:
    """
    @notice Returns what has come while nobody staked and joins the next period.
    @return uint256 Units of the funds token, rounded down.
    """
    scaled: uint256 = staking_rewards._carried_scaled + staking_rewards._flowed_to_nobody()
    if staking_rewards.totalSupply == 0:
        scaled += self._uncredited() * staking_rewards._RATE_SCALE
    return scaled // staking_rewards._RATE_SCALE


@internal
def _pay(account: address):
    """
    @notice Fetches the profit and pays an account what it has earned.
    """
    self._check_not_recovered(account)
    is_frozen: bool = staticcall ISecurityToken(staking_rewards.stakingToken).isFrozen(account)
    assert not is_frozen, "revenue_staking: wallet is frozen"
    self._fetch()
    staking_rewards._pay_reward(account)


@internal
def _fetch():
    """
    @notice Credits the profit to the stakers and takes it out of the token.
    """
    self._credit()
    extcall ISecurityToken(staking_rewards.stakingToken).withdrawFunds()


@internal
def _credit():
    """
    @notice Credits what the token has credited to this contract since the last time to
            the present stake; must run before the stake changes.
    @dev Without stake it is carried to the next period of rewards.
    """
    amount: uint256 = self._uncredited()
    if amount == 0:
        return
    self.credited_profit += amount
    staking_rewards.owed_rewards += amount
    total: uint256 = staking_rewards.totalSupply
    if total == 0:
        staking_rewards._carried_scaled += amount * staking_rewards._RATE_SCALE
    else:
        scaled: uint256 = amount * staking_rewards._PER_TOKEN_SCALE + self._remainder
        staking_rewards.rewardPerTokenStored += scaled // total
        self._remainder = scaled % total
    log ProfitCredited(amount=amount)


@internal
@view
def _check_not_recovered(account: address):
    """
    @notice Reverts for a wallet that another has replaced: what it had is the other's.
    """
    assert self._successor(account) == empty(address), "revenue_staking: wallet was recovered"


@internal
@view
def _successor(account: address) -> address:
    """
    @notice Returns the wallet that the security token has put in place of a lost one.
    """
    return staticcall ISecurityToken(staking_rewards.stakingToken).recovered_to(account)


@internal
@view
def _uncredited() -> uint256:
    """
    @notice Returns what the token has credited to this contract since the last time.
    @dev Zero, not a revert, where the token has taken a claim away (a recovery).
    """
    total: uint256 = staticcall ISecurityToken(staking_rewards.stakingToken).accumulativeFundsOf(self)
    return total - min(total, self.credited_profit)


@internal
@view
def _reward_per_token() -> uint256:
    """
    @notice Returns profit and rewards of one wei of stake x 1e36, up to now.
    """
    per_token: uint256 = staking_rewards._reward_per_token()
    total: uint256 = staking_rewards.totalSupply
    if total == 0:
        return per_token
    scaled: uint256 = self._uncredited() * staking_rewards._PER_TOKEN_SCALE
    return per_token + (scaled + self._remainder) // total
