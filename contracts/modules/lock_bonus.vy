# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Bonus for Panels that are Locked
@custom:contract-name lock_bonus
@license GNU Affero General Public License v3.0 only
@notice A bonus that somebody has paid in flows evenly over a time, and every second's
        part belongs to the panels that are locked at that second, by their watts. Nothing
        is created: what flows while nothing is locked is carried to the next funding.
@dev Counted in units of the funds token x 2**128 ("magnified"), so that all is exact:

         per watt += flow // locked watts,  the rest of the division is carried

     Bounds: fundings sum to at most 1e19 units, so that magnified sums stay below 2**192.
"""


from . import asset_token


struct Lock:
    watts: uint256
    until: uint256
    per_watt: uint256


# @dev Scale of the magnified bonus.
_MAGNITUDE_BITS: constant(uint256) = 128
_MAGNITUDE: constant(uint256) = 2**128


# @dev Upper bound of all fundings together, in units of the funds token.
_MAX_FUNDS: constant(uint256) = 10**19


# @dev How long a lock holds, in seconds.
lock_seconds: public(immutable(uint256))


# @dev Watts of all panels that are locked.
locked_watts: public(uint256)


# @dev When the bonus stops flowing, Unix seconds.
bonus_end: public(uint256)


# @dev All that was ever paid in, and what was paid out of it, in units.
total_bonus: public(uint256)
total_claimed_bonus: public(uint256)


# @dev Locks by panel; no watts means that it is not locked.
locks: public(HashMap[uint256, Lock])


# @dev Flow in magnified units per second, and up to when it is credited.
_rate: uint256
_updated: uint256


# @dev What a locked watt has earned since deployment, magnified units.
_per_watt: uint256


# @dev What flowed to nobody and what divisions left, magnified units.
_carried: uint256


# @dev What accounts have been credited with and not been paid, magnified units.
_credits: HashMap[address, uint256]


event BonusFunded:
    by: indexed(address)
    amount: uint256
    end: uint256


@deploy
def __init__(lock_seconds_: uint256):
    """
    @notice Starts without a bonus.
    @param lock_seconds_ How long a lock holds, in seconds, above zero.
    """
    assert lock_seconds_ != 0, "lock_bonus: lock of no length"
    lock_seconds = lock_seconds_


@internal
def _fund(funds_token: address, amount: uint256, duration: uint256):
    """
    @notice Takes a bonus from the caller; with what still flows and what was carried it
            flows evenly from now on.
    @param funds_token The 20-byte address of the token in which the bonus is paid.
    @param amount What the caller pays, in units, above zero.
    @param duration How long all of it flows, in seconds, above zero.
    """
    assert amount != 0, "lock_bonus: nothing to fund"
    assert duration != 0, "lock_bonus: bonus of no length"
    self._accrue()
    received: uint256 = asset_token._pull(funds_token, msg.sender, amount)
    total: uint256 = self.total_bonus + received
    assert total <= _MAX_FUNDS, "lock_bonus: bonus is too large"
    left: uint256 = 0
    if self.bonus_end > block.timestamp:
        left = self._rate * (self.bonus_end - block.timestamp)
    pot: uint256 = received * _MAGNITUDE + left + self._carried
    self.total_bonus = total
    self._rate = pot // duration
    self._carried = pot % duration
    self._updated = block.timestamp
    self.bonus_end = block.timestamp + duration
    log BonusFunded(by=msg.sender, amount=received, end=self.bonus_end)


@internal
def _lock(token_id: uint256, watts: uint256) -> uint256:
    """
    @notice Locks a panel that is not locked.
    @param token_id The panel.
    @param watts Its watts, above zero.
    @return uint256 From when on it can be unlocked, Unix seconds.
    """
    assert self.locks[token_id].watts == 0, "lock_bonus: panel is locked already"
    self._accrue()
    until: uint256 = block.timestamp + lock_seconds
    self.locks[token_id] = Lock(watts=watts, until=until, per_watt=self._per_watt)
    self.locked_watts += watts
    return until


@internal
def _unlock(token_id: uint256, owner: address):
    """
    @notice Ends a lock; what it has earned is credited to the panel's owner.
    @param token_id The panel.
    @param owner The 20-byte address of its owner.
    """
    self._credit(token_id, owner)
    self.locked_watts -= self.locks[token_id].watts
    self.locks[token_id] = empty(Lock)


@internal
def _credit(token_id: uint256, owner: address):
    """
    @notice Credits what a panel's lock has earned until now to its owner.
    @param token_id The panel, locked or not.
    @param owner The 20-byte address of its owner.
    """
    self._accrue()
    lock: Lock = self.locks[token_id]
    self._credits[owner] += lock.watts * (self._per_watt - lock.per_watt)
    self.locks[token_id].per_watt = self._per_watt


@internal
def _take(account: address) -> uint256:
    """
    @notice Takes an account's credit in whole units; the fraction stays.
    @param account The 20-byte address that is to be paid.
    @return uint256 What the caller must pay, in units.
    """
    credit: uint256 = self._credits[account]
    amount: uint256 = credit >> _MAGNITUDE_BITS
    self._credits[account] = credit - amount * _MAGNITUDE
    self.total_claimed_bonus += amount
    return amount


@internal
def _accrue():
    """
    @notice Credits what has flowed until now to the watts that are locked.
    @dev Must run before the locked watts or the flow change.
    """
    flowed: uint256 = self._flowed()
    self._per_watt, self._carried = self._shared(flowed)
    self._updated = block.timestamp


@internal
@view
def _earned(token_id: uint256) -> uint256:
    """
    @notice Returns what a panel's lock has earned and nobody was credited with.
    @param token_id The panel.
    @return uint256 Magnified units.
    """
    lock: Lock = self.locks[token_id]
    per_watt: uint256 = 0
    carried: uint256 = 0
    per_watt, carried = self._shared(self._flowed())
    return lock.watts * (per_watt - lock.per_watt)


@internal
@view
def _flowed() -> uint256:
    """
    @notice Returns what has flowed since the last credit, magnified units.
    """
    until: uint256 = min(block.timestamp, self.bonus_end)
    if until <= self._updated:
        return 0
    return self._rate * (until - self._updated)


@internal
@view
def _shared(flowed: uint256) -> (uint256, uint256):
    """
    @notice Returns the credit of a locked watt and what is carried, once `flowed` is shared.
    """
    if self.locked_watts == 0:
        return self._per_watt, self._carried + flowed
    return self._per_watt + flowed // self.locked_watts, self._carried + flowed % self.locked_watts
