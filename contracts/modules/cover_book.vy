# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Book of Policies and of the Capital behind them
@custom:contract-name cover_book
@license GNU Affero General Public License v3.0 only
@notice Premiums become the pool's evenly from a policy's first second to its last.
        All policies that end on one day are settled at once, and are paid at most
        their part, by sums insured, of the pool. So whichever day is settled first,
        what is left per sum insured never falls.
@dev Bookkeeping only: the importing contract holds and moves the tokens. Covers start
     and end at midnight UTC. A premium is a whole amount for each day, so amounts
     times the seconds of a day stay whole numbers at every second: `_scaled`.
"""


from snekmate.utils import math


struct Policy:
    holder: address
    # Tonnes x 1e18, and USD per tonne x 1e18.
    amount: uint256
    strike: uint256
    # In the asset's unit.
    sum_insured: uint256
    premium_per_day: uint256
    # Unix seconds.
    bought_at: uint256
    start: uint256
    expiry: uint256
    # Whether its settlement stood in the money, and whether nothing more can come of it.
    is_triggered: bool
    is_closed: bool


struct Settlement:
    # USD per tonne x 1e18; zero until the day is settled.
    price: uint256
    # What the policies of the day are due, and what there is for them at most.
    owed: uint256
    available: uint256


# @dev State that moves with time alone.
struct Clock:
    time: uint256
    premium_per_day: uint256
    earned_scaled: uint256
    due_days: uint256


# @dev Seconds of a day, and the scale of `_scaled`.
_DAY: constant(uint256) = 86_400


# @dev The most policies that may end on one day.
_MAX_POLICIES_A_DAY: constant(uint256) = 64


# @dev The most midnights that one accrual passes; a longer sleep takes several.
_MAX_DAYS: constant(uint256) = 365


# @dev All policies by their number; the first one is 1.
policies: public(HashMap[uint256, Policy])


# @dev The number of policies sold.
policy_count: public(uint256)


# @dev Settlements by the time of expiry.
settlements: public(HashMap[uint256, Settlement])


# @dev The sum of all sums insured whose policies are not settled.
locked: public(uint256)


# @dev The part of it whose settlement stands in the money.
triggered_sum: public(uint256)


# @dev Paid by the pool and not yet taken by the holders of policies.
set_aside: public(uint256)


# @dev Up to when premiums are booked, Unix seconds.
accrued_at: public(uint256)


# @dev Days whose policies ended and are not settled.
due_days: public(uint256)


_capital_scaled: uint256
_unearned_scaled: uint256
_premium_per_day: uint256
_rises: HashMap[uint256, uint256]
_falls: HashMap[uint256, uint256]
_ending: HashMap[uint256, DynArray[uint256, 64]]
_ending_sum: HashMap[uint256, uint256]


@deploy
def __init__():
    """
    @notice Begins an empty book now.
    """
    self.accrued_at = block.timestamp


# --- Capital -----------------------------------------------------------------


@internal
@view
def _clock() -> Clock:
    """
    @notice Returns what time has done since the last accrual, up to now or as far as
            one accrual reaches.
    @return Clock The time reached and what holds then; earnings since the accrual.
    """
    clock: Clock = Clock(
        time=self.accrued_at, premium_per_day=self._premium_per_day, earned_scaled=0, due_days=self.due_days
    )
    for _: uint256 in range(_MAX_DAYS):
        midnight: uint256 = (clock.time // _DAY + 1) * _DAY
        if midnight > block.timestamp:
            clock.earned_scaled += clock.premium_per_day * (block.timestamp - clock.time)
            clock.time = block.timestamp
            break
        clock.earned_scaled += clock.premium_per_day * (midnight - clock.time)
        clock.time = midnight
        clock.premium_per_day = clock.premium_per_day + self._rises[midnight] - self._falls[midnight]
        if self._ending_sum[midnight] != 0:
            clock.due_days += 1
    return clock


@internal
def _accrue():
    """
    @notice Books what time has done, as far as one accrual reaches.
    """
    clock: Clock = self._clock()
    self.accrued_at = clock.time
    self.due_days = clock.due_days
    self._premium_per_day = clock.premium_per_day
    self._capital_scaled += clock.earned_scaled
    self._unearned_scaled -= clock.earned_scaled


@internal
def _accrue_to_now():
    """
    @notice Books what time has done; refuses where that takes several accruals.
    """
    self._accrue()
    assert self.accrued_at == block.timestamp, "cover_book: accrue first"


@internal
@view
def _total() -> uint256:
    """
    @notice Returns what the underwriters own: deposits and earned premiums less
            payouts and withdrawals.
    @return uint256 The assets, rounded down.
    """
    return (self._capital_scaled + self._clock().earned_scaled) // _DAY


@internal
@view
def _unearned() -> uint256:
    """
    @notice Returns the premiums that are paid in and not earned yet.
    @dev Exactly what deposits and premiums have brought in, less what the underwriters
         own and what was paid out.
    @return uint256 The assets.
    """
    return (self._capital_scaled + self._unearned_scaled) // _DAY - self._total()


@internal
def _add(assets: uint256):
    """
    @notice Books assets that came in for the underwriters.
    @param assets The amount.
    """
    self._capital_scaled += assets * _DAY


@internal
def _take(assets: uint256):
    """
    @notice Books assets that leave the underwriters.
    @param assets The amount, at most `_total()` after an accrual.
    """
    self._capital_scaled -= assets * _DAY


# --- Policies ----------------------------------------------------------------


@internal
def _open(policy: Policy) -> uint256:
    """
    @notice Books a new policy whose premium has arrived.
    @param policy The policy; it starts and ends at midnights to come.
    @return uint256 Its number.
    """
    assert len(self._ending[policy.expiry]) < _MAX_POLICIES_A_DAY, "cover_book: day is full"
    id: uint256 = self.policy_count + 1
    self.policy_count = id
    self.policies[id] = policy
    self.locked += policy.sum_insured
    self._ending[policy.expiry].append(id)
    self._ending_sum[policy.expiry] += policy.sum_insured
    self._unearned_scaled += self._premium(policy) * _DAY
    if policy.start == block.timestamp:
        self._premium_per_day += policy.premium_per_day
    else:
        self._rises[policy.start] += policy.premium_per_day
    self._falls[policy.expiry] += policy.premium_per_day
    return id


@internal
def _void(id: uint256) -> uint256:
    """
    @notice Takes a policy that has not started out of the book.
    @param id The number of the policy.
    @return uint256 Its premium, to be returned.
    """
    policy: Policy = self.policies[id]
    self.policies[id].is_closed = True
    # It insures nothing any more, whatever its day is settled at.
    self.policies[id].amount = 0
    self.policies[id].sum_insured = 0
    self.locked -= policy.sum_insured
    self._ending_sum[policy.expiry] -= policy.sum_insured
    self._rises[policy.start] -= policy.premium_per_day
    self._falls[policy.expiry] -= policy.premium_per_day
    ids: DynArray[uint256, 64] = self._ending[policy.expiry]
    self._ending[policy.expiry] = []
    for other: uint256 in ids:
        if other != id:
            self._ending[policy.expiry].append(other)
    premium: uint256 = self._premium(policy)
    self._unearned_scaled -= premium * _DAY
    return premium


@internal
def _mark(id: uint256, is_triggered: bool):
    """
    @notice Notes whether a policy's settlement stands in the money.
    @param id The number of the policy.
    @param is_triggered The new mark, not the present one.
    """
    sum_insured: uint256 = self.policies[id].sum_insured
    self.policies[id].is_triggered = is_triggered
    if is_triggered:
        self.triggered_sum += sum_insured
    else:
        self.triggered_sum -= sum_insured


@internal
def _settle_day(expiry: uint256, price: uint256, scale: uint256) -> (uint256, uint256):
    """
    @notice Settles all policies of a day: releases their capital and sets aside what
            they are paid.
    @param expiry The time of expiry, over and not settled yet.
    @param price The settlement in USD per tonne x 1e18, above zero.
    @param scale Tonnes x USD per tonne of one unit of the asset.
    @return uint256 What the policies are due.
    @return uint256 What they are paid.
    """
    ids: DynArray[uint256, 64] = self._ending[expiry]
    claims: DynArray[uint256, 64] = []
    owed: uint256 = 0
    for id: uint256 in ids:
        if self.policies[id].is_triggered:
            self._mark(id, False)
        claim: uint256 = self._payout(self.policies[id], price, scale)
        claims.append(claim)
        owed += claim
    available: uint256 = math._mul_div(self._total(), self._ending_sum[expiry], self.locked, False)
    settlement: Settlement = Settlement(price=price, owed=owed, available=available)
    paid: uint256 = 0
    for claim: uint256 in claims:
        paid += self._part(claim, settlement)
    self.settlements[expiry] = settlement
    self.locked -= self._ending_sum[expiry]
    self.due_days -= 1
    self.set_aside += paid
    self._take(paid)
    return owed, paid


@internal
def _close(id: uint256, scale: uint256) -> (uint256, uint256):
    """
    @notice Closes a policy whose day is settled.
    @param id The number of the policy, checked by the caller.
    @param scale Tonnes x USD per tonne of one unit of the asset.
    @return uint256 What the policy is due.
    @return uint256 What it is paid.
    """
    settlement: Settlement = self.settlements[self.policies[id].expiry]
    owed: uint256 = self._payout(self.policies[id], settlement.price, scale)
    paid: uint256 = self._part(owed, settlement)
    self.policies[id].is_closed = True
    self.set_aside -= paid
    return owed, paid


@internal
@pure
def _payout(policy: Policy, price: uint256, scale: uint256) -> uint256:
    """
    @notice Returns max(strike - settlement, 0) x tonnes.
    @param policy The policy.
    @param price The settlement in USD per tonne x 1e18.
    @param scale Tonnes x USD per tonne of one unit of the asset.
    @return uint256 The assets, rounded down: never above the sum insured.
    """
    fall: uint256 = policy.strike - min(policy.strike, price)
    return math._mul_div(fall, policy.amount, scale, False)


@internal
@pure
def _part(claim: uint256, settlement: Settlement) -> uint256:
    """
    @notice Returns what is paid of a claim: all, or the day's part of it.
    @param claim What the policy is due.
    @param settlement The settlement of its day.
    @return uint256 The assets, rounded down.
    """
    if settlement.owed <= settlement.available:
        return claim
    return math._mul_div(claim, settlement.available, settlement.owed, False)


@internal
@pure
def _premium(policy: Policy) -> uint256:
    """
    @notice Returns the whole premium of a policy.
    @param policy The policy.
    @return uint256 The assets.
    """
    return policy.premium_per_day * ((policy.expiry - policy.start) // _DAY)
