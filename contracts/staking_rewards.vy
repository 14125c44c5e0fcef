# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Staking Rewards
@custom:contract-name staking_rewards
@license GNU Affero General Public License v3.0 only
@notice Streams a notified amount evenly over a period to all who stake, each by
        his share of the stake at every second. ABI and events are those of
        Synthetix' `StakingRewards`; four of its faults are mended:
        - what is owed in rewards is counted apart from the stake, so that both
          tokens may be one;
        - rate and reward per token carry 18 more decimals, so that a reward with
          6 decimals is not lost to rounding;
        - rewards that flow while nobody stakes are carried to the next period;
        - a notification within a period must not lower the rate, so that dust
          cannot stretch the period.
@dev Scales: `rewardRate` is reward wei per second x 1e18; `rewardPerToken` is
     reward wei per wei of stake x 1e36. All divisions round down, so the sum of
     all claims stays below what was notified, by less than one wei per account
     and update.
"""


from ethereum.ercs import IERC20


from snekmate.auth import ownable
initializes: ownable


from .modules import asset_token


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


# @dev Scale of `rewardRate` beyond reward wei per second.
_RATE_SCALE: constant(uint256) = 10**18


# @dev Scale of `rewardPerToken` beyond reward wei per wei of stake.
_PER_TOKEN_SCALE: constant(uint256) = 10**36


# @dev Upper bound of one notification, in reward wei. All claims of an account
# since its last update are below the sum of the notifications; times 1e36 that
# sum must fit 256 bits, or the stake could no longer be withdrawn. With this
# bound it takes 100 million notifications to get there.
_MAX_REWARD: constant(uint256) = 10**33


# @dev The token that is paid out.
rewardsToken: public(immutable(address))


# @dev The token that is staked.
stakingToken: public(immutable(address))


# @dev The only account that may notify rewards.
rewardsDistribution: public(address)


# @dev Length of a period, in seconds.
rewardsDuration: public(uint256)


# @dev When the running period ends, Unix seconds.
periodFinish: public(uint256)


# @dev Reward wei per second x 1e18.
rewardRate: public(uint256)


# @dev Up to when rewards are accounted for, Unix seconds.
lastUpdateTime: public(uint256)


# @dev Reward wei per wei of stake x 1e36, since deployment.
rewardPerTokenStored: public(uint256)


# @dev `rewardPerToken` up to which an account's rewards are booked.
userRewardPerTokenPaid: public(HashMap[address, uint256])


# @dev Booked rewards of an account, in reward wei.
rewards: public(HashMap[address, uint256])


# @dev All stake, in wei of the staking token.
totalSupply: public(uint256)


# @dev Stake of an account, in wei of the staking token.
balanceOf: public(HashMap[address, uint256])


# @dev Rewards notified and not yet paid, in reward wei.
owed_rewards: public(uint256)


# @dev Whether staking is stopped; everything else never is.
paused: public(bool)


# @dev When staking was last stopped, Unix seconds.
lastPauseTime: public(uint256)


# @dev Reward wei x 1e18 that flowed up to `lastUpdateTime` while nobody staked.
_carried_scaled: uint256


event RewardAdded:
    reward: uint256


event Staked:
    user: indexed(address)
    amount: uint256


event Withdrawn:
    user: indexed(address)
    amount: uint256


event RewardPaid:
    user: indexed(address)
    reward: uint256


event RewardsDurationUpdated:
    newDuration: uint256


event RewardsDistributionUpdated:
    newRewardsDistribution: indexed(address)


event Recovered:
    token: address
    amount: uint256


event PauseChanged:
    isPaused: bool


@deploy
def __init__(
    owner_: address,
    rewards_distribution_: address,
    rewards_token_: address,
    staking_token_: address,
    rewards_duration_: uint256,
):
    """
    @notice Deploys without stake and without a period.
    @param owner_ The 20-byte address that pauses, recovers and sets the duration.
    @param rewards_distribution_ The 20-byte address that notifies rewards.
    @param rewards_token_ The 20-byte address of the token that is paid out.
    @param staking_token_ The 20-byte address of the token that is staked.
    @param rewards_duration_ The length of a period in seconds, above zero.
    """
    assert owner_ != empty(address), "staking_rewards: owner is the zero address"
    assert rewards_token_ != empty(address), "staking_rewards: rewards token is the zero address"
    assert staking_token_ != empty(address), "staking_rewards: staking token is the zero address"
    ownable.__init__()
    ownable._transfer_ownership(owner_)
    rewardsToken = rewards_token_
    stakingToken = staking_token_
    self.rewardsDistribution = rewards_distribution_
    self._set_rewards_duration(rewards_duration_)


@external
@nonreentrant
def stake(amount: uint256):
    """
    @notice Takes `amount` from the caller and stakes what arrives.
    @dev A token may keep a fee of the transfer.
    @param amount The amount in wei of the staking token.
    """
    self._stake(msg.sender, amount)


@external
@nonreentrant
def withdraw(amount: uint256):
    """
    @notice Returns `amount` of the caller's stake; possible at any time.
    @param amount The amount in wei of the staking token, above zero.
    """
    self._withdraw(msg.sender, amount)


@external
@nonreentrant
def getReward():
    """
    @notice Pays the caller all rewards earned so far.
    """
    self._pay_reward(msg.sender)


@external
@nonreentrant
def exit():
    """
    @notice Returns the caller's whole stake and pays the rewards.
    """
    self._withdraw(msg.sender, self.balanceOf[msg.sender])
    self._pay_reward(msg.sender)


@external
@nonreentrant
def notifyRewardAmount(reward: uint256):
    """
    @notice Starts a period with `reward`, what is left of the running one and
            what was carried; rewards distribution only.
    @dev The tokens must have arrived before the call. A reward of zero is allowed
         after the end of a period, to stream again what was carried. The rate
         rounds down; what that drops is below `rewardsDuration` x 1e-18 wei.
    @param reward The amount in reward wei, at most 1e33.
    """
    self._notify(reward)


@external
def setRewardsDuration(rewards_duration: uint256):
    """
    @notice Sets the length of the next period; owner only, between periods.
    @param rewards_duration The length in seconds, above zero.
    """
    ownable._check_owner()
    assert block.timestamp >= self.periodFinish, "staking_rewards: period is running"
    self._set_rewards_duration(rewards_duration)


@external
def setRewardsDistribution(rewards_distribution: address):
    """
    @notice Sets who notifies rewards; owner only.
    @param rewards_distribution The 20-byte address.
    """
    ownable._check_owner()
    self.rewardsDistribution = rewards_distribution
    log RewardsDistributionUpdated(newRewardsDistribution=rewards_distribution)


@external
def setPaused(is_paused: bool):
    """
    @notice Stops or resumes staking; owner only.
    @param is_paused Whether staking is stopped.
    """
    ownable._check_owner()
    if is_paused == self.paused:
        return
    self.paused = is_paused
    if is_paused:
        self.lastPauseTime = block.timestamp
    log PauseChanged(isPaused=is_paused)


@external
@nonreentrant
def recoverERC20(token: address, amount: uint256):
    """
    @notice Sends tokens that are neither stake nor owed rewards to the owner.
    @param token The 20-byte address of the token.
    @param amount The amount in that token's smallest unit.
    """
    ownable._check_owner()
    assert amount <= self._surplus(token), "staking_rewards: stake and owed rewards stay"
    asset_token._push(token, msg.sender, amount)
    log Recovered(token=token, amount=amount)


@external
@view
def lastTimeRewardApplicable() -> uint256:
    """
    @notice Returns the time up to which rewards flow: now, or the period's end.
    @return uint256 Unix seconds.
    """
    return self._last_time_reward_applicable()


@external
@view
def rewardPerToken() -> uint256:
    """
    @notice Returns the rewards of one wei of stake since deployment.
    @return uint256 Reward wei per wei of stake x 1e36.
    """
    return self._reward_per_token()


@external
@view
def earned(account: address) -> uint256:
    """
    @notice Returns what `getReward` would pay `account` now.
    @param account The 20-byte address.
    @return uint256 Reward wei, rounded down.
    """
    return self._earned(account)


@external
@view
def getRewardForDuration() -> uint256:
    """
    @notice Returns what a whole period pays at the present rate.
    @return uint256 Reward wei, rounded down.
    """
    return self.rewardRate * self.rewardsDuration // _RATE_SCALE


@external
@view
def carried() -> uint256:
    """
    @notice Returns what has flowed while nobody staked and joins the next period.
    @return uint256 Reward wei, rounded down.
    """
    return (self._carried_scaled + self._flowed_to_nobody()) // _RATE_SCALE


@internal
def _stake(account: address, amount: uint256):
    """
    @notice Takes `amount` from `account` and stakes what arrives.
    """
    assert not self.paused, "staking_rewards: paused"
    self._update_reward(account)
    received: uint256 = asset_token._pull(stakingToken, account, amount)
    assert received != 0, "staking_rewards: cannot stake nothing"
    self.totalSupply += received
    self.balanceOf[account] += received
    log Staked(user=account, amount=received)


@internal
def _withdraw(account: address, amount: uint256):
    """
    @notice Returns `amount` of the stake of `account`.
    @dev Only the transfer of the staking token itself can fail: the update is
         bounded arithmetic, and no pause reaches here.
    """
    assert amount != 0, "staking_rewards: cannot withdraw nothing"
    stake: uint256 = self.balanceOf[account]
    assert amount <= stake, "staking_rewards: amount exceeds the stake"
    self._update_reward(account)
    self.totalSupply -= amount
    self.balanceOf[account] = stake - amount
    asset_token._push(stakingToken, account, amount)
    log Withdrawn(user=account, amount=amount)


@internal
def _pay_reward(account: address):
    """
    @notice Pays `account` all rewards earned so far; nothing where there are none.
    """
    self._update_reward(account)
    reward: uint256 = self.rewards[account]
    if reward == 0:
        return
    self.rewards[account] = 0
    self.owed_rewards -= reward
    asset_token._push(rewardsToken, account, reward)
    log RewardPaid(user=account, reward=reward)


@internal
def _update_reward(account: address):
    """
    @notice Accounts for all that has flowed until now, and books what `account`
            earned of it.
    @param account The 20-byte address, or zero for none.
    """
    self._carried_scaled += self._flowed_to_nobody()
    self.rewardPerTokenStored = self._reward_per_token()
    self.lastUpdateTime = self._last_time_reward_applicable()
    if account != empty(address):
        self.rewards[account] = self._earned(account)
        self.userRewardPerTokenPaid[account] = self.rewardPerTokenStored


@internal
def _notify(reward: uint256):
    """
    @notice Starts a period with `reward`, what is left and what was carried.
    """
    assert msg.sender == self.rewardsDistribution, "staking_rewards: caller is not the rewards distribution"
    assert reward <= _MAX_REWARD, "staking_rewards: reward is too large"
    assert reward <= self._surplus(rewardsToken), "staking_rewards: reward has not arrived"
    self._update_reward(empty(address))

    is_running: bool = block.timestamp < self.periodFinish
    pot: uint256 = reward * _RATE_SCALE + self._carried_scaled
    if is_running:
        pot += (self.periodFinish - block.timestamp) * self.rewardRate
    rate: uint256 = pot // self.rewardsDuration
    assert rate != 0, "staking_rewards: nothing to distribute"
    if is_running:
        assert rate >= self.rewardRate, "staking_rewards: rate would fall"

    self.owed_rewards += reward
    self._carried_scaled = 0
    self.rewardRate = rate
    self.lastUpdateTime = block.timestamp
    self.periodFinish = block.timestamp + self.rewardsDuration
    log RewardAdded(reward=reward)


@internal
def _set_rewards_duration(rewards_duration: uint256):
    """
    @notice Stores the length of the next period, in seconds.
    """
    assert rewards_duration != 0, "staking_rewards: duration is zero"
    self.rewardsDuration = rewards_duration
    log RewardsDurationUpdated(newDuration=rewards_duration)


@internal
@view
def _last_time_reward_applicable() -> uint256:
    """
    @notice Returns the earlier of now and the end of the period, Unix seconds.
    """
    return min(block.timestamp, self.periodFinish)


@internal
@view
def _flowed_scaled() -> uint256:
    """
    @notice Returns what has flowed since the last update, in reward wei x 1e18.
    """
    return (self._last_time_reward_applicable() - self.lastUpdateTime) * self.rewardRate


@internal
@view
def _flowed_to_nobody() -> uint256:
    """
    @notice Returns what has flowed since the last update while nobody staked, in
            reward wei x 1e18.
    """
    return self._flowed_scaled() if self.totalSupply == 0 else 0


@internal
@view
def _reward_per_token() -> uint256:
    """
    @notice Returns reward wei per wei of stake x 1e36, rounded down.
    """
    if self.totalSupply == 0:
        return self.rewardPerTokenStored
    flowed: uint256 = self._flowed_scaled() * (_PER_TOKEN_SCALE // _RATE_SCALE)
    return self.rewardPerTokenStored + flowed // self.totalSupply


@internal
@view
def _earned(account: address) -> uint256:
    """
    @notice Returns the booked rewards of `account` and those since, in reward wei.
    """
    since: uint256 = self._reward_per_token() - self.userRewardPerTokenPaid[account]
    return self.rewards[account] + self.balanceOf[account] * since // _PER_TOKEN_SCALE


@internal
@view
def _surplus(token: address) -> uint256:
    """
    @notice Returns the balance of `token` that is neither stake nor owed rewards.
    @dev Zero, not a revert, for a token that took from the balance by itself.
    """
    reserved: uint256 = 0
    if token == stakingToken:
        reserved += self.totalSupply
    if token == rewardsToken:
        reserved += self.owed_rewards
    balance: uint256 = staticcall IERC20(token).balanceOf(self)
    return balance - min(balance, reserved)
