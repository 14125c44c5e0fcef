# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Book of Positions on Margin, and of the Cash behind them
@custom:contract-name perp_book
@license GNU Affero General Public License v3.0 only
@notice Every unit of the asset is somebody's: a trader's margin, the pool's, the insurance
        fund's, or a fee to be collected. What one gains another has paid. The profit of a
        side beyond a part of the pool is cut, the same share of it for whoever takes it.
@dev Bookkeeping only: the importing contract moves the tokens. Sizes are index units x
     1e18, below zero short; the index 1e18 = 1; costs size x index, x 1e36; amounts the
     asset's unit (1e6 a dollar). Rounded against traders.
"""


from snekmate.utils import math


struct Position:
    size: int256
    # What its size was bought for, of the size's sign.
    cost: int256
    margin: uint256
    # What a unit had paid of funding when it was last settled.
    funding: int256


struct Settled:
    # Gain on what was closed, after the cut; below zero a loss.
    gain: int256
    # Profit that was cut.
    cut: uint256
    # Funding paid; below zero received.
    funding: int256
    # What the margin did not cover and the insurance fund neither: the pool's loss.
    bad_debt: uint256


_WAD: constant(uint256) = 10**18


# @dev Size x index of a unit of the asset.
_SCALE: constant(int256) = 10**30


# @dev Positions by trader.
positions: public(HashMap[address, Position])


# @dev Sizes of the long side (true) and of the short one (1e18 = 1).
side_size: public(HashMap[bool, uint256])


# @dev The four owners of the asset: traders, pool, insurance fund, and fees to collect.
margins: public(uint256)
pool: public(uint256)
insurance: public(uint256)
fees: public(uint256)


_side_cost: HashMap[bool, uint256]
_funding_basis: int256


@internal
@pure
def _floor(scaled: int256) -> int256:
    """
    @notice Returns size x index in the asset's unit.
    @param scaled The product, x 1e36.
    @return int256 The amount, rounded down.
    """
    # Division is towards zero.
    return (scaled if scaled >= 0 else scaled - _SCALE + 1) // _SCALE


@internal
@pure
def _ceil(scaled: int256) -> int256:
    """
    @notice Returns size x index in the asset's unit.
    @param scaled The product, x 1e36.
    @return int256 The amount, rounded up.
    """
    return -self._floor(-scaled)


@internal
@pure
def _notional(size: int256, price: uint256) -> uint256:
    """
    @notice Returns what a size is worth.
    @param size The size, either way.
    @param price The index.
    @return uint256 The amount, rounded up.
    """
    return convert(self._ceil(abs(size) * convert(price, int256)), uint256)


@internal
@view
def _skew() -> int256:
    """
    @notice Returns size long less size short.
    @return int256 The size.
    """
    return convert(self.side_size[True], int256) - convert(self.side_size[False], int256)


# --- What positions are worth --------------------------------------------------


@internal
@view
def _side_gain(is_long: bool, price: uint256) -> int256:
    """
    @notice Returns what a side has gained and not taken.
    @param is_long Which side.
    @param price The index.
    @return int256 The amount, rounded up; below zero a loss.
    """
    scaled: int256 = convert(self.side_size[is_long] * price, int256) - convert(self._side_cost[is_long], int256)
    return self._ceil(scaled if is_long else -scaled)


@internal
@view
def _payable(gain: int256, is_long: bool, price: uint256, share: uint256) -> int256:
    """
    @notice Returns what is paid of a gain: all of it, or its part of what its side can have.
    @param gain The gain; a loss is returned as it is.
    @param is_long Its side.
    @param price The index.
    @param share The part of the pool that a side can have (1e18 = 100 %).
    @return int256 The amount, never above that part of the pool.
    """
    if gain <= 0:
        return gain
    most: uint256 = self.pool * share // _WAD
    side: int256 = self._side_gain(is_long, price)
    paid: uint256 = convert(gain, uint256)
    if side > convert(most, int256):
        paid = math._mul_div(paid, most, convert(side, uint256), False)
    return convert(min(paid, most), int256)


@internal
@view
def _owed(position: Position, funding_index: int256) -> int256:
    """
    @notice Returns the funding that a position owes.
    @param position The position.
    @param funding_index What a unit has paid by now.
    @return int256 The amount, rounded up; below zero it receives.
    """
    return self._ceil(position.size * (funding_index - position.funding))


@internal
@view
def _equity(trader: address, price: uint256, funding_index: int256, share: uint256) -> int256:
    """
    @notice Returns a position's margin with its gain as it would be paid, less its funding.
    @param trader The 20-byte address of its holder.
    @param price The index.
    @param funding_index What a unit has paid by now.
    @param share The part of the pool that a side can have.
    @return int256 The amount.
    """
    position: Position = self.positions[trader]
    gain: int256 = self._floor(position.size * convert(price, int256) - position.cost)
    paid: int256 = self._payable(gain, position.size > 0, price, share)
    return convert(position.margin, int256) + paid - self._owed(position, funding_index)


@internal
@view
def _pool_value(price: uint256, funding_index: int256, share: uint256) -> uint256:
    """
    @notice Returns what the pool owns: its cash, less what both sides would be paid, and the
            funding that they owe.
    @param price The index.
    @param funding_index What a unit has paid by now.
    @param share The part of the pool that a side can have.
    @return uint256 The amount, rounded down; never below zero.
    """
    most: int256 = convert(self.pool * share // _WAD, int256)
    owed: int256 = self._floor(self._skew() * funding_index - self._funding_basis)
    worth: int256 = convert(self.pool, int256) + owed
    worth -= min(self._side_gain(True, price), most) + min(self._side_gain(False, price), most)
    return convert(max(worth, 0), uint256)


# --- Trades --------------------------------------------------------------------


@internal
def _trade(trader: address, delta: int256, price: uint256, funding_index: int256, share: uint256) -> Settled:
    """
    @notice Changes a position: what it closes is settled, with all its funding, into its
            margin; what it opens costs the price.
    @param trader The 20-byte address of its holder.
    @param delta The size to add; below zero to sell.
    @param price The index.
    @param funding_index What a unit has paid by now.
    @param share The part of the pool that a side can have.
    @return Settled What was paid.
    """
    position: Position = self.positions[trader]
    index: int256 = convert(price, int256)
    closed: int256 = 0
    if position.size > 0 and delta < 0:
        closed = min(position.size, -delta)
    elif position.size < 0 and delta > 0:
        closed = max(position.size, -delta)
    opened: int256 = delta + closed
    cost: int256 = self._part(position.cost, closed, position.size)
    gain: int256 = self._floor(closed * index - cost)
    paid: int256 = self._payable(gain, position.size > 0, price, share)
    owed: int256 = self._owed(position, funding_index)
    settled: Settled = Settled(gain=paid, cut=convert(gain - paid, uint256), funding=owed, bad_debt=0)

    self._close(closed, cost)
    self._open(opened, opened * index)
    self._funding_basis -= position.size * position.funding
    position.size += delta
    position.cost += opened * index - cost
    position.funding = funding_index
    self._funding_basis += position.size * funding_index
    self.positions[trader] = position
    settled.bad_debt = self._settle(trader, paid - owed)
    return settled


@internal
@pure
def _part(cost: int256, closed: int256, size: int256) -> int256:
    """
    @notice Returns the part of a position's cost that is closed.
    @param cost The cost of all of it.
    @param closed The size that is closed, of the sign of `size`.
    @param size The size of all of it.
    @return int256 The cost, rounded towards zero.
    """
    if closed == size:
        return cost
    part: uint256 = math._mul_div(
        convert(abs(cost), uint256), convert(abs(closed), uint256), convert(abs(size), uint256), False
    )
    return convert(part, int256) if cost > 0 else -convert(part, int256)


@internal
def _open(size: int256, cost: int256):
    """
    @notice Adds what is opened to its side.
    @param size The size.
    @param cost Its cost, of the same sign.
    """
    self.side_size[size > 0] += convert(abs(size), uint256)
    self._side_cost[size > 0] += convert(abs(cost), uint256)


@internal
def _close(size: int256, cost: int256):
    """
    @notice Takes what is closed from its side.
    @param size The size.
    @param cost Its cost, of the same sign.
    """
    self.side_size[size > 0] -= convert(abs(size), uint256)
    self._side_cost[size > 0] -= convert(abs(cost), uint256)


@internal
def _settle(trader: address, amount: int256) -> uint256:
    """
    @notice Moves an amount from the pool to a margin, or from the margin to the pool. What
            the margin lacks the insurance fund pays as far as it can.
    @param trader The 20-byte address of the position's holder.
    @param amount The amount that the trader gets; below zero he pays.
    @return uint256 What nobody paid.
    """
    if amount >= 0:
        got: uint256 = min(convert(amount, uint256), self.pool)
        self.pool -= got
        self.margins += got
        self.positions[trader].margin += got
        return 0
    due: uint256 = convert(-amount, uint256)
    paid: uint256 = self._take(trader, due)
    covered: uint256 = min(due - paid, self.insurance)
    self.insurance -= covered
    self.pool += paid + covered
    return due - paid - covered


@internal
def _take(trader: address, amount: uint256) -> uint256:
    """
    @notice Takes an amount from a margin, or all of it; the caller gives it to somebody.
    @param trader The 20-byte address of the position's holder.
    @param amount The amount.
    @return uint256 What was there of it.
    """
    taken: uint256 = min(amount, self.positions[trader].margin)
    self.positions[trader].margin -= taken
    self.margins -= taken
    return taken


@internal
def _share_out(amount: uint256, to_insurance: uint256, to_protocol: uint256):
    """
    @notice Gives a fee to the insurance fund, the protocol, and the pool.
    @param amount The fee, taken from a margin.
    @param to_insurance The fund's share (1e18 = 100 %).
    @param to_protocol The protocol's share.
    """
    insured: uint256 = amount * to_insurance // _WAD
    collected: uint256 = amount * to_protocol // _WAD
    self.insurance += insured
    self.fees += collected
    self.pool += amount - insured - collected


@internal
def _draw(amount: uint256) -> uint256:
    """
    @notice Takes an amount from the insurance fund, and what that lacks from the pool.
    @param amount The amount.
    @return uint256 What was there of it.
    """
    insured: uint256 = min(amount, self.insurance)
    self.insurance -= insured
    rest: uint256 = min(amount - insured, self.pool)
    self.pool -= rest
    return insured + rest
