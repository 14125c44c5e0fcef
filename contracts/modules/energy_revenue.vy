# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Revenue of a Fleet of Panels by the Energy of Each
@custom:contract-name energy_revenue
@license GNU Affero General Public License v3.0 only
@notice Time is cut into periods, one of which is open. While it is, each panel's energy
        is reported once, and anybody pays revenue into its pot. Closing it shares the
        pot by the energy reported for it, and opens the next one.
@dev Energy is in millionths of a kWh (1e6 = 1 kWh), revenue in units of the funds token,
     counted x 2**128 ("magnified"):

         per energy = pot // energy of the period,  the rest is carried to the next pot
         share of a panel = its energy * per energy

     What a panel has earned is credited to its owner by `_settle`, which the importing
     contract must call BEFORE the owner changes: the income of closed periods is his who
     held the panel when they were closed. So claims never exceed what was paid in; only
     paying out rounds, down, below one unit for each account.
     Bounds: revenue sums to at most 1e19 units, so that magnified sums stay below 2**192.
"""


from . import asset_token


struct Meter:
    period: uint256
    energy: uint256


# @dev Scale of magnified revenue.
_MAGNITUDE_BITS: constant(uint256) = 128
_MAGNITUDE: constant(uint256) = 2**128


# @dev Upper bound of all revenue together, in units of the funds token.
_MAX_FUNDS: constant(uint256) = 10**19


# @dev Number of the period whose energy is being reported; the first is 1.
open_period: public(uint256)


# @dev Energy reported for the open period, in 1e-6 kWh.
open_energy: public(uint256)


# @dev All revenue ever paid in, and what owners have been paid of it, in units.
total_revenue: public(uint256)
total_claimed_revenue: public(uint256)


# @dev What the open period will share, magnified units.
_pot: uint256


# @dev What a millionth of a kWh earned in a closed period, magnified units.
_per_energy: HashMap[uint256, uint256]


# @dev The last report of each panel that is not settled yet.
_meters: HashMap[uint256, Meter]


# @dev What accounts have been credited with and not been paid, magnified units.
_credits: HashMap[address, uint256]


event GenerationReported:
    token_id: indexed(uint256)
    period: indexed(uint256)
    energy: uint256


event RevenueDeposited:
    by: indexed(address)
    period: indexed(uint256)
    amount: uint256


event PeriodClosed:
    period: indexed(uint256)
    energy: uint256
    shared: uint256


@deploy
def __init__():
    """
    @notice Opens the first period.
    """
    self.open_period = 1


@internal
def _report(token_id: uint256, owner: address, energy: uint256, period: uint256):
    """
    @notice Books a panel's energy of the open period; what it earned before is settled.
    @param token_id The panel.
    @param owner The 20-byte address of its owner.
    @param energy Its energy, in 1e-6 kWh; zero for a dark period.
    @param period The number of the period, which must be the open one: a report that
           comes late is refused, and not paid out of another period's pot.
    """
    assert period == self.open_period, "energy_revenue: period is not open"
    assert self._meters[token_id].period != period, "energy_revenue: period was reported before"
    self._settle(token_id, owner)
    self._meters[token_id] = Meter(period=period, energy=energy)
    self.open_energy += energy
    log GenerationReported(token_id=token_id, period=period, energy=energy)


@internal
def _deposit(funds_token: address, amount: uint256):
    """
    @notice Takes revenue of the open period from the caller.
    @param funds_token The 20-byte address of the token in which revenue is paid.
    @param amount What the caller pays, in units, above zero.
    """
    assert amount != 0, "energy_revenue: nothing to deposit"
    received: uint256 = asset_token._pull(funds_token, msg.sender, amount)
    total: uint256 = self.total_revenue + received
    assert total <= _MAX_FUNDS, "energy_revenue: revenue is too large"
    self.total_revenue = total
    self._pot += received * _MAGNITUDE
    log RevenueDeposited(by=msg.sender, period=self.open_period, amount=received)


@internal
def _close():
    """
    @notice Shares the pot by energy and opens the next period; without energy the pot is
            carried whole.
    """
    period: uint256 = self.open_period
    energy: uint256 = self.open_energy
    pot: uint256 = self._pot
    shared: uint256 = 0
    if energy != 0:
        per_energy: uint256 = pot // energy
        self._per_energy[period] = per_energy
        shared = per_energy * energy
        self._pot = pot - shared
    self.open_period = period + 1
    self.open_energy = 0
    log PeriodClosed(period=period, energy=energy, shared=shared >> _MAGNITUDE_BITS)


@internal
def _settle(token_id: uint256, owner: address):
    """
    @notice Credits what a panel has earned in a closed period to its owner.
    @param token_id The panel.
    @param owner The 20-byte address of its owner.
    """
    earned: uint256 = self._earned(token_id)
    if earned != 0:
        self._credits[owner] += earned
        # the period stays, so that it cannot be reported again
        self._meters[token_id].energy = 0


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
    self.total_claimed_revenue += amount
    return amount


@internal
@view
def _earned(token_id: uint256) -> uint256:
    """
    @notice Returns what a panel has earned in a closed period and nobody was credited with.
    @param token_id The panel.
    @return uint256 Magnified units.
    """
    meter: Meter = self._meters[token_id]
    return meter.energy * self._per_energy[meter.period]
