# pragma version ==0.4.3
# pragma evm-version cancun
# pragma optimize codesize
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Perpetual on an Index of a Metal and of its Miners
@custom:contract-name miner_perp
@license GNU Affero General Public License v3.0 only
@notice Positions on margin against a pool of dollars. An order fills at the first round of
        the index after it was placed, whoever executes it and however late, or is dropped;
        a stop closes at the latest round after the one that touched it, whatever its price;
        a position whose equity is at or below its maintenance margin is liquidated. What
        one gains another has paid: profits of a side beyond a part of the pool are cut
        alike, and the keeper may reduce its winners down to a bound.
@dev Nothing is minted. The margin is the asset, a dollar token with six decimals, taken to
     be worth a dollar; what is sent here by itself is nobody's. Scales: the index, sizes,
     rates and shares 1e18 = 1; amounts in the asset's unit.
"""


from snekmate.auth import ownable
initializes: ownable


from ethereum.ercs import IERC20Detailed


from snekmate.utils import math


from .modules import asset_token
from .modules import share_math


from .interfaces import IPerpIndex


from .modules import skew_funding
initializes: skew_funding


from .modules import perp_book
initializes: perp_book


from .modules import pool_shares
initializes: pool_shares


exports: (
    ownable.owner,
    ownable.transfer_ownership,
    skew_funding.funding_rate,
    skew_funding.funding_index,
    skew_funding.accrued_at,
    skew_funding.last_index,
    perp_book.positions,
    perp_book.side_size,
    perp_book.margins,
    perp_book.pool,
    perp_book.insurance,
    perp_book.fees,
    pool_shares.shares,
    pool_shares.total_shares,
    pool_shares.requests,
)


struct Terms:
    # Equity over notional that opening takes, and at or below which a position is
    # liquidated (1e18 = 100 %). The greatest leverage is one over the first.
    initial_margin: uint256
    maintenance_margin: uint256
    # Of the notional, to the insurance fund where a position is liquidated.
    liquidation_penalty: uint256
    # What whoever executes an order, a stop or a liquidation gets, in the asset's unit.
    keeper_fee: uint256
    # Of the notional: what an order pays that makes the skew smaller, and larger.
    maker_fee: uint256
    taker_fee: uint256
    # Shares of fees for the insurance fund and the protocol; the pool has the rest.
    insurance_share: uint256
    protocol_share: uint256
    # The greatest open interest of a side, over the pool.
    max_open_interest: uint256
    # The part of the pool that a side's profit can have; where the keeper reduces its
    # winners, and down to where.
    max_profit: uint256
    adl_trigger: uint256
    adl_target: uint256
    # The least notional of a position, in the asset's unit; its maintenance margin pays the
    # keeper twice.
    min_notional: uint256
    # The wait after a request to withdraw, and how long it can be claimed then.
    cooldown_seconds: uint256
    claim_window_seconds: uint256


struct Order:
    # Size to add, below zero to sell; of all of it where the order closes.
    delta: int256
    closes: bool
    # The worst index at which it fills.
    acceptable: uint256
    # The newest round when it was placed; zero where there is no order.
    after_round: uint256


struct Stop:
    # The most that is closed; zero where there is no stop.
    size: uint256
    # The index at or beyond which it is executed, and up to which that is no gap.
    trigger: uint256
    acceptable: uint256
    after_round: uint256


_WAD: constant(uint256) = 10**18


# @dev Sizes and amounts stay below these, so that no product overflows.
_MAX_SIZE: constant(uint256) = 10**30
_MAX_ASSETS: constant(uint256) = 10**24


# @dev The longest wait to withdraw, ten years.
_MAX_SECONDS: constant(uint256) = 3_650 * 86_400


# @dev The greatest fee and penalty, and the greatest fee of a keeper in the asset's unit.
_MAX_FEE: constant(uint256) = 10**17
_MAX_KEEPER_FEE: constant(uint256) = 10**9


# @dev The greatest open interest over the pool.
_MAX_OPEN_INTEREST: constant(uint256) = 100 * 10**18


# @dev The token that margins are paid in.
asset: public(immutable(address))


# @dev Where the index comes from: trusted as its feeds are.
index_source: public(immutable(address))


# @dev What cannot be changed.
terms: public(immutable(Terms))
funding_terms: public(immutable(skew_funding.Funding))


# @dev Who executes stops and reduces winners.
keeper: public(address)


# @dev Whether deposits and orders that open are stopped.
paused: public(bool)


# @dev Orders and stops by trader.
orders: public(HashMap[address, Order])
stops: public(HashMap[address, Stop])


# @dev Sums since the beginning, in the asset's unit: losses that nobody but the pool bore,
# and profits that were cut.
bad_debt: public(uint256)
profits_cut: public(uint256)


event MarginChanged:
    trader: indexed(address)
    amount: int256


event OrderPlaced:
    trader: indexed(address)
    delta: int256
    acceptable: uint256
    after_round: uint256


event OrderCancelled:
    trader: indexed(address)


event OrderDropped:
    trader: indexed(address)
    reason: String[40]


event Traded:
    trader: indexed(address)
    delta: int256
    price: uint256
    fee: uint256
    gain: int256
    funding: int256


event ProfitCut:
    trader: indexed(address)
    missing: uint256


event StopPlaced:
    trader: indexed(address)
    size: uint256
    trigger: uint256
    acceptable: uint256


event StopCancelled:
    trader: indexed(address)


event StopExecuted:
    trader: indexed(address)
    price: uint256
    gapped: bool


event Liquidated:
    trader: indexed(address)
    keeper: indexed(address)
    price: uint256
    penalty: uint256
    bad_debt: uint256


event Deleveraged:
    trader: indexed(address)
    size: uint256
    price: uint256


event Deposited:
    owner: indexed(address)
    assets: uint256
    shares: uint256


event Withdrawn:
    owner: indexed(address)
    assets: uint256


event InsuranceFunded:
    payer: indexed(address)
    assets: uint256


event FeesCollected:
    receiver: indexed(address)
    assets: uint256


event KeeperSet:
    keeper: indexed(address)


event PausedSet:
    stopped: bool


@deploy
def __init__(
    asset_: address,
    keeper_: address,
    index_source_: address,
    terms_: Terms,
    funding_terms_: skew_funding.Funding,
):
    """
    @notice Deploys a market without positions; the deployer becomes its owner.
    @param asset_ The 20-byte address of the dollar token.
    @param keeper_ The 20-byte address that executes stops and reduces winners.
    @param index_source_ The 20-byte address of the index (`IPerpIndex`); nobody can change it.
    @param terms_ The terms; nobody can change them.
    @param funding_terms_ The terms of funding; nobody can change them.
    """
    assert staticcall IERC20Detailed(asset_).decimals() == 6, "miner_perp: asset has not six decimals"
    assert index_source_ != empty(address), "miner_perp: index is the zero address"
    ownable.__init__()
    skew_funding.__init__()
    skew_funding._check(funding_terms_)
    self._check_terms(terms_)
    asset = asset_
    index_source = index_source_
    terms = terms_
    funding_terms = funding_terms_
    self._set_keeper(keeper_)


# --- Margin ------------------------------------------------------------------


@external
def add_margin(amount: uint256):
    """
    @notice Takes margin from the caller; what arrives is credited.
    @dev Not while an order waits: who knows its price could else choose whether it fills.
    @param amount The amount that leaves the caller.
    """
    self._check_no_order(msg.sender)
    received: uint256 = asset_token._pull(asset, msg.sender, amount)
    perp_book.positions[msg.sender].margin += received
    perp_book.margins += received
    assert perp_book.margins <= _MAX_ASSETS, "miner_perp: too much margin"
    log MarginChanged(trader=msg.sender, amount=convert(received, int256))


@external
def remove_margin(amount: uint256):
    """
    @notice Pays margin back to the caller; what is left must do for opening the position.
    @param amount The amount, at most the margin; the largest number takes all of it.
    """
    self._check_no_order(msg.sender)
    taken: uint256 = perp_book._take(msg.sender, amount)
    assert taken == amount or amount == max_value(uint256), "miner_perp: exceeds margin"
    size: int256 = perp_book.positions[msg.sender].size
    if size != 0:
        price: uint256 = self._begin()
        assert self._has_initial(msg.sender, size, price, 0), "miner_perp: too little margin"
    asset_token._push(asset, msg.sender, taken)
    log MarginChanged(trader=msg.sender, amount=-convert(taken, int256))


# --- Orders ------------------------------------------------------------------


@external
def modify_position(delta: int256, acceptable: uint256):
    """
    @notice Orders a change of the caller's position, at the next round of the index.
    @param delta The size to add (1e18 = 1), below zero to sell.
    @param acceptable The worst index at which it fills; beyond it the order is dropped.
    """
    assert delta != 0, "miner_perp: nothing to trade"
    assert convert(abs(delta), uint256) <= _MAX_SIZE, "miner_perp: size is too large"
    self._place(delta, False, acceptable)


@external
def close_position(acceptable: uint256):
    """
    @notice Orders that all of the caller's position be closed, at the next round.
    @param acceptable The worst index at which it fills; beyond it the order is dropped.
    """
    size: int256 = perp_book.positions[msg.sender].size
    assert size != 0, "miner_perp: no position"
    self._place(-size, True, acceptable)


@external
def cancel_order():
    """
    @notice Withdraws the caller's order, while nobody knows yet at which price it fills.
    """
    self._check_order(msg.sender)
    self._check_not_due(msg.sender)
    self.orders[msg.sender] = empty(Order)
    log OrderCancelled(trader=msg.sender)


@external
def execute_order(trader: address) -> bool:
    """
    @notice Fills an order at the first round after it was placed, or drops it. Anyone; the
            trader's margin pays the fee either way.
    @param trader The 20-byte address of who placed it.
    @return bool Whether it was filled.
    """
    self._check_order(trader)
    order: Order = self.orders[trader]
    round_id: uint256 = self._first_after(order.after_round)
    assert round_id != 0, "miner_perp: no later round"
    self._accrue()
    price: uint256 = self._at(round_id)
    self.orders[trader] = empty(Order)
    reward: uint256 = perp_book._take(trader, terms.keeper_fee)
    size: int256 = perp_book.positions[trader].size
    delta: int256 = -size if order.closes else order.delta
    reason: String[40] = self._refusal(trader, size, delta, order.acceptable, price)
    if reason == "":
        self._trade(trader, delta, price)
    else:
        log OrderDropped(trader=trader, reason=reason)
    asset_token._push(asset, msg.sender, reward)
    return reason == ""


# --- Stops -------------------------------------------------------------------


@external
def place_stop(trigger: uint256, acceptable: uint256, size: uint256):
    """
    @notice Orders that the caller's position be closed after the index has touched
            `trigger`; a stop that stands already is replaced.
    @param trigger The index at or beyond which it is executed: below the latest one for a
           long position, above it for a short one.
    @param acceptable The index up to which the holder expects to be filled. A gap beyond it
           is logged as one, and closes all the same.
    @param size The most that is closed; the largest number closes everything.
    """
    held: int256 = perp_book.positions[msg.sender].size
    assert held != 0, "miner_perp: no position"
    assert size != 0, "miner_perp: nothing to close"
    assert trigger != 0, "miner_perp: trigger is zero"
    price: uint256 = self._fresh()
    assert not self._is_touched(held, trigger, price), "miner_perp: stop is on the wrong side"
    after_round: uint256 = self._round()
    self.stops[msg.sender] = Stop(size=size, trigger=trigger, acceptable=acceptable, after_round=after_round)
    log StopPlaced(trader=msg.sender, size=size, trigger=trigger, acceptable=acceptable)


@external
def cancel_stop():
    """
    @notice Withdraws the caller's stop.
    """
    assert self.stops[msg.sender].size != 0, "miner_perp: no stop"
    self.stops[msg.sender] = empty(Stop)
    log StopCancelled(trader=msg.sender)


@external
def execute_stop(trader: address, touched_round: uint256):
    """
    @notice Closes for a stop at the latest index, which must be of a later round than the
            one that touched it; keeper only.
    @param trader The 20-byte address of who placed it.
    @param touched_round A round since it was placed, at or beyond the trigger.
    """
    self._check_keeper()
    self._check_not_due(trader)
    stop: Stop = self.stops[trader]
    assert stop.size != 0, "miner_perp: no stop"
    assert touched_round > stop.after_round, "miner_perp: round before stop"
    assert touched_round < self._round(), "miner_perp: no later round"
    size: int256 = perp_book.positions[trader].size
    touched: uint256 = self._at(touched_round)
    assert touched != 0 and self._is_touched(size, stop.trigger, touched), "miner_perp: not touched"
    price: uint256 = self._begin()

    closed: int256 = convert(min(stop.size, convert(abs(size), uint256)), int256)
    self.stops[trader] = empty(Stop)
    reward: uint256 = perp_book._take(trader, terms.keeper_fee)
    self._trade(trader, -closed if size > 0 else closed, price)
    gapped: bool = price < stop.acceptable if size > 0 else price > stop.acceptable
    log StopExecuted(trader=trader, price=price, gapped=gapped)
    asset_token._push(asset, msg.sender, reward)


# --- Liquidation and reduction of winners ----------------------------------------


@external
def liquidate(trader: address):
    """
    @notice Closes a position whose equity is at or below its maintenance margin, at the
            latest index. Anyone, once an order of it that is due is filled. The caller's fee comes out of the margin, then of the
            insurance fund, then of the pool; the penalty out of what is left of the margin.
    @param trader The 20-byte address of its holder.
    """
    self._check_not_due(trader)
    price: uint256 = self._begin()
    assert self._is_liquidatable(trader, price), "miner_perp: not liquidatable"
    size: int256 = perp_book.positions[trader].size
    self.orders[trader] = empty(Order)
    lost: uint256 = self._settle_trade(trader, -size, price, 0)
    reward: uint256 = perp_book._take(trader, terms.keeper_fee)
    penalty: uint256 = perp_book._notional(size, price) * terms.liquidation_penalty // _WAD
    penalty = perp_book._take(trader, penalty)
    perp_book.insurance += penalty
    reward += perp_book._draw(terms.keeper_fee - reward)
    log Liquidated(trader=trader, keeper=msg.sender, price=price, penalty=penalty, bad_debt=lost)
    asset_token._push(asset, msg.sender, reward)


@external
def deleverage(trader: address, size: uint256):
    """
    @notice Reduces a winner, at the latest index and without a fee, where his side's profit
            is above the trigger; keeper only. It must not go further than to the target.
    @param trader The 20-byte address of the position's holder.
    @param size The size to close.
    """
    self._check_keeper()
    self._check_not_due(trader)
    price: uint256 = self._begin()
    held: int256 = perp_book.positions[trader].size
    assert held != 0, "miner_perp: no position"
    assert size != 0 and size <= convert(abs(held), uint256), "miner_perp: exceeds the position"
    assert self._side_is_above(held > 0, price, terms.adl_trigger), "miner_perp: no need to reduce"
    assert held * convert(price, int256) > perp_book.positions[trader].cost, "miner_perp: not a winner"
    closed: int256 = convert(size, int256)
    self._settle_trade(trader, -closed if held > 0 else closed, price, 0)
    # The bound is looked at again after the act.
    assert self._side_is_above(held > 0, price, terms.adl_target), "miner_perp: reduced too far"
    log Deleveraged(trader=trader, size=size, price=price)


# --- Pool --------------------------------------------------------------------


@external
def deposit(assets: uint256) -> uint256:
    """
    @notice Takes assets for the pool, while its market trades and no profit is cut; what
            arrives is credited.
    @param assets The amount that leaves the caller.
    @return uint256 The shares, rounded down.
    """
    assert not self.paused, "miner_perp: paused"
    worth: uint256 = self._value_in_trade()
    # What is cut would be paid out of it: whose profit that is would take from the providers.
    assert self._pool_for_profits(skew_funding.last_index) <= perp_book.pool, "miner_perp: profits are cut"
    received: uint256 = asset_token._pull(asset, msg.sender, assets)
    shares: uint256 = pool_shares._issue(msg.sender, received, worth)
    perp_book.pool += received
    assert perp_book.pool <= _MAX_ASSETS, "miner_perp: pool is full"
    log Deposited(owner=msg.sender, assets=received, shares=shares)
    return shares


@external
def request_withdraw(shares: uint256):
    """
    @notice Asks to take out shares, on top of those asked for, and starts the wait anew.
    @param shares The shares.
    """
    pool_shares._request(msg.sender, shares, terms.cooldown_seconds)


@external
def cancel_withdraw():
    """
    @notice Withdraws the caller's request, lapsed or not.
    """
    pool_shares._cancel(msg.sender)


@external
def claim_withdraw() -> uint256:
    """
    @notice Pays the caller's request at the price of now, while the market trades, as far
            as open interest and profits leave the pool free.
    @return uint256 The assets, rounded down.
    """
    worth: uint256 = self._value_in_trade()
    # The index of this block: funding has just been booked.
    free: uint256 = self._free(skew_funding.last_index)
    assets: uint256 = pool_shares._redeem(msg.sender, worth, free, terms.claim_window_seconds)
    perp_book.pool -= assets
    asset_token._push(asset, msg.sender, assets)
    log Withdrawn(owner=msg.sender, assets=assets)
    return assets


@external
def fund_insurance(assets: uint256):
    """
    @notice Gives assets to the insurance fund. Anyone; nobody gets them back.
    @param assets The amount that leaves the caller.
    """
    received: uint256 = asset_token._pull(asset, msg.sender, assets)
    perp_book.insurance += received
    assert perp_book.insurance <= _MAX_ASSETS, "miner_perp: insurance fund is full"
    log InsuranceFunded(payer=msg.sender, assets=received)


# --- Owner -------------------------------------------------------------------


@external
def collect_fees(receiver: address):
    """
    @notice Pays out the protocol's fees; owner only.
    @param receiver The 20-byte address that gets them.
    """
    ownable._check_owner()
    amount: uint256 = perp_book.fees
    perp_book.fees = 0
    asset_token._push(asset, receiver, amount)
    log FeesCollected(receiver=receiver, assets=amount)


@external
def set_keeper(new_keeper: address):
    """
    @notice Hands stops and reductions to another account; owner only.
    @param new_keeper The 20-byte address of the new keeper.
    """
    ownable._check_owner()
    self._set_keeper(new_keeper)


@external
def set_paused(stops: bool):
    """
    @notice Stops deposits and orders that open, or lets them go on; owner only. All else
            goes on.
    @param stops Whether they stop.
    """
    ownable._check_owner()
    self.paused = stops
    log PausedSet(stopped=stops)


@external
def accrue():
    """
    @notice Books funding up to now. Anyone.
    """
    self._accrue()


# --- Views -------------------------------------------------------------------


@external
@view
def equity(trader: address) -> int256:
    """
    @notice Returns a position's margin with its gain as it would be paid, less funding.
    @param trader The 20-byte address of its holder.
    @return int256 The amount; below zero where the margin does not do.
    """
    return self._equity(trader, self._latest())


@external
@view
def is_liquidatable(trader: address) -> bool:
    """
    @notice Returns whether a position's equity is at or below its maintenance margin.
    @param trader The 20-byte address of its holder.
    @return bool Whether it is, at the latest round.
    """
    return self._is_liquidatable(trader, self._latest())


@external
@view
def side_gain(is_long: bool) -> int256:
    """
    @notice Returns what a side has gained and not taken, at the latest round.
    @param is_long Which side.
    @return int256 The amount; below zero a loss.
    """
    return perp_book._side_gain(is_long, self._latest())


@external
@view
def pool_value() -> uint256:
    """
    @notice Returns what the pool owns at the latest round.
    @return uint256 The amount.
    """
    return self._pool_value(self._latest())


@external
@view
def exit_value(shares: uint256) -> uint256:
    """
    @notice Returns what shares would be paid now, the wait apart.
    @param shares The shares.
    @return uint256 The assets, as far as open interest and profits leave the pool free.
    """
    price: uint256 = self._latest()
    assets: uint256 = share_math._to_assets(shares, self._pool_value(price), pool_shares.total_shares, False)
    return min(assets, self._free(price))


# --- Inside ------------------------------------------------------------------


@internal
@pure
def _check_terms(terms_: Terms):
    """
    @notice Refuses terms that no market can have.
    @param terms_ The terms.
    """
    assert terms_.initial_margin <= _WAD, "miner_perp: initial margin above 100 %"
    assert terms_.maintenance_margin != 0, "miner_perp: maintenance margin is zero"
    assert terms_.maintenance_margin < terms_.initial_margin, "miner_perp: maintenance above initial margin"
    assert terms_.liquidation_penalty <= _MAX_FEE, "miner_perp: penalty above 10 %"
    assert terms_.keeper_fee <= _MAX_KEEPER_FEE, "miner_perp: keeper's fee above 1,000"
    assert terms_.maker_fee <= terms_.taker_fee, "miner_perp: maker fee above taker fee"
    assert terms_.taker_fee <= _MAX_FEE, "miner_perp: taker fee above 10 %"
    assert terms_.insurance_share + terms_.protocol_share <= _WAD, "miner_perp: shares of fees above 100 %"
    assert terms_.max_open_interest <= _MAX_OPEN_INTEREST, "miner_perp: open interest above 100 pools"
    assert terms_.max_profit <= _WAD, "miner_perp: profit above the pool"
    assert terms_.adl_trigger <= terms_.max_profit, "miner_perp: trigger above the greatest profit"
    assert terms_.adl_target < terms_.adl_trigger, "miner_perp: target not below the trigger"
    assert terms_.min_notional != 0, "miner_perp: least notional is zero"
    # Who is due must still have what liquidating him costs, gaps apart: else two accounts, one
    # long and one short, take the difference from the fund each time that one is due.
    least: uint256 = terms_.maintenance_margin * terms_.min_notional // _WAD
    assert 2 * terms_.keeper_fee <= least, "miner_perp: keeper's fee above half the least margin"
    assert terms_.cooldown_seconds <= _MAX_SECONDS, "miner_perp: cooldown above ten years"
    assert terms_.claim_window_seconds <= _MAX_SECONDS, "miner_perp: claim window above ten years"


@internal
def _set_keeper(new_keeper: address):
    """
    @notice Stores the keeper; a market without one could not execute stops.
    @param new_keeper The 20-byte address.
    """
    assert new_keeper != empty(address), "miner_perp: keeper is the zero address"
    self.keeper = new_keeper
    log KeeperSet(keeper=new_keeper)


@internal
@view
def _latest() -> uint256:
    """
    @notice Returns the latest index, however old.
    @return uint256 The index (1e18 = 1); zero where there is none.
    """
    return self._at(self._round())


@internal
@view
def _fresh() -> uint256:
    """
    @notice Returns the latest index; refuses one that is too old while its market trades.
    @return uint256 The index (1e18 = 1).
    """
    return staticcall IPerpIndex(index_source).fresh()


@internal
@view
def _round() -> uint256:
    """
    @notice Returns the newest round of the index.
    @return uint256 The round.
    """
    return staticcall IPerpIndex(index_source).latest_round()


@internal
@view
def _at(round_id: uint256) -> uint256:
    """
    @notice Returns the index of a round.
    @param round_id The round.
    @return uint256 The index (1e18 = 1); zero where there is none.
    """
    return staticcall IPerpIndex(index_source).at(round_id)


@internal
@view
def _first_after(round_id: uint256) -> uint256:
    """
    @notice Returns the first round after another that has an index.
    @param round_id The round.
    @return uint256 The later round; zero while there is none.
    """
    return staticcall IPerpIndex(index_source).first_after(round_id)


@internal
@view
def _check_keeper():
    """
    @notice Refuses everybody but the keeper.
    """
    assert msg.sender == self.keeper, "miner_perp: caller is not the keeper"


@internal
@view
def _check_no_order(trader: address):
    """
    @notice Refuses while an order waits: its price may be known already.
    @param trader The 20-byte address of who placed it.
    """
    assert self.orders[trader].after_round == 0, "miner_perp: an order waits"


@internal
@view
def _check_order(trader: address):
    """
    @notice Refuses where no order waits.
    @param trader The 20-byte address of who would have placed it.
    """
    assert self.orders[trader].after_round != 0, "miner_perp: no order"


@internal
@view
def _check_not_due(trader: address):
    """
    @notice Refuses while an order is to be filled: its round came first, however late whoever
            fills it is. Anyone can do so.
    @param trader The 20-byte address of who placed it.
    """
    after_round: uint256 = self.orders[trader].after_round
    assert after_round == 0 or self._first_after(after_round) == 0, "miner_perp: order is due"


@internal
def _accrue():
    """
    @notice Books funding up to now: before anything changes, so that nobody gets round it.
    """
    skew_funding._advance(perp_book._skew(), self._latest(), funding_terms)


@internal
def _begin() -> uint256:
    """
    @notice Books funding, and returns an index on which can be acted.
    @return uint256 The latest index; one that is too old is refused, and all waits.
    """
    price: uint256 = self._fresh()
    self._accrue()
    return price


@internal
@view
def _funding_now() -> int256:
    """
    @notice Returns what a unit has paid of funding by now.
    @return int256 The funding index.
    """
    return skew_funding._now(perp_book._skew(), funding_terms)[1]


@internal
@view
def _equity(trader: address, price: uint256) -> int256:
    """
    @notice Returns a position's equity.
    @param trader The 20-byte address of its holder.
    @param price The index.
    @return int256 The amount.
    """
    return perp_book._equity(trader, price, self._funding_now(), terms.max_profit)


@internal
@view
def _needs(size: int256, price: uint256, share: uint256) -> int256:
    """
    @notice Returns the margin that a size takes.
    @param size The size.
    @param price The index.
    @param share The margin over notional (1e18 = 100 %).
    @return int256 The amount, rounded up.
    """
    return convert((perp_book._notional(size, price) * share + _WAD - 1) // _WAD, int256)


@internal
@view
def _has_initial(trader: address, size: int256, price: uint256, fee: uint256) -> bool:
    """
    @notice Returns whether a trader's equity does for opening a size.
    @param trader The 20-byte address of the trader.
    @param size The size that he would have.
    @param price The index.
    @param fee What he would pay first.
    @return bool Whether it does.
    """
    left: int256 = self._equity(trader, price) - convert(fee, int256)
    return left >= self._needs(size, price, terms.initial_margin)


@internal
@view
def _is_liquidatable(trader: address, price: uint256) -> bool:
    """
    @notice Returns whether a position's equity is at or below its maintenance margin.
    @param trader The 20-byte address of its holder.
    @param price The index.
    @return bool Whether it is; never without a position.
    """
    size: int256 = perp_book.positions[trader].size
    return size != 0 and self._equity(trader, price) <= self._needs(size, price, terms.maintenance_margin)


@internal
@pure
def _is_touched(size: int256, trigger: uint256, price: uint256) -> bool:
    """
    @notice Returns whether an index is at or beyond a stop's trigger.
    @param size The position's size.
    @param trigger The trigger.
    @param price The index.
    @return bool Whether it is; never without a position.
    """
    return (size > 0 and price <= trigger) or (size < 0 and price >= trigger)


@internal
@view
def _side_is_above(is_long: bool, price: uint256, share: uint256) -> bool:
    """
    @notice Returns whether a side's profit is at or above a part of the pool.
    @param is_long Which side.
    @param price The index.
    @param share The part (1e18 = 100 %).
    @return bool Whether it is.
    """
    return perp_book._side_gain(is_long, price) >= convert(perp_book.pool * share // _WAD, int256)


@internal
@view
def _pool_value(price: uint256) -> uint256:
    """
    @notice Returns what the pool owns.
    @param price The index.
    @return uint256 The amount, rounded down.
    """
    return perp_book._pool_value(price, self._funding_now(), terms.max_profit)


@internal
def _value_in_trade() -> uint256:
    """
    @notice Returns what the pool owns; refuses while its market is closed, when the news
            that will move the index is known and its price is not.
    @return uint256 The amount.
    """
    price: uint256 = self._begin()
    assert not staticcall IPerpIndex(index_source).is_closed(), "miner_perp: market is closed"
    return self._pool_value(price)


@internal
@view
def _pool_for_profits(price: uint256) -> uint256:
    """
    @notice Returns the least pool with which no side's profit is cut.
    @param price The index.
    @return uint256 The amount, rounded up.
    """
    gain: int256 = max(0, max(perp_book._side_gain(True, price), perp_book._side_gain(False, price)))
    return math._mul_div(convert(gain, uint256), _WAD, terms.max_profit, True)


@internal
@view
def _free(price: uint256) -> uint256:
    """
    @notice Returns what of the pool neither open interest needs nor profit: a pool that gets
            smaller would cut what its traders have gained, to the gain of who stays in it.
    @param price The index.
    @return uint256 The amount.
    """
    needed: uint256 = self._pool_for_profits(price)
    if terms.max_open_interest != 0:
        size: int256 = convert(max(perp_book.side_size[True], perp_book.side_size[False]), int256)
        if size != 0:
            needed = max(needed, perp_book._notional(size, price) * _WAD // terms.max_open_interest + 1)
    return perp_book.pool - min(perp_book.pool, needed)


@internal
@view
def _fee(delta: int256, price: uint256) -> uint256:
    """
    @notice Returns the fee of a trade: what makes the skew smaller pays the maker's.
    @param delta The size to add.
    @param price The index.
    @return uint256 The amount, rounded up.
    """
    skew: int256 = perp_book._skew()
    makes: int256 = 0
    if skew > 0 and delta < 0:
        makes = min(skew, -delta)
    elif skew < 0 and delta > 0:
        makes = min(-skew, delta)
    made: uint256 = perp_book._notional(makes, price) * terms.maker_fee
    taken: uint256 = perp_book._notional(abs(delta) - makes, price) * terms.taker_fee
    return (made + taken + _WAD - 1) // _WAD


@internal
def _place(delta: int256, closes: bool, acceptable: uint256):
    """
    @notice Stores the caller's order. One that opens needs its margin now: who could add it
            when the price is known would have the choice. The margin must pay whoever fills
            it: an order that nobody is paid for would be the trader's to fill when he likes.
    @param delta The size to add.
    @param closes Whether it closes all there is.
    @param acceptable The worst index at which it fills.
    """
    self._check_no_order(msg.sender)
    price: uint256 = self._begin()
    assert perp_book.positions[msg.sender].margin >= terms.keeper_fee, "miner_perp: too little margin"
    size: int256 = perp_book.positions[msg.sender].size
    if not closes:
        reason: String[40] = self._check_change(msg.sender, size, delta, price, terms.keeper_fee)
        assert reason == "", reason
    after_round: uint256 = self._round()
    self.orders[msg.sender] = Order(delta=delta, closes=closes, acceptable=acceptable, after_round=after_round)
    log OrderPlaced(trader=msg.sender, delta=delta, acceptable=acceptable, after_round=after_round)


@internal
@view
def _refusal(trader: address, size: int256, delta: int256, acceptable: uint256, price: uint256) -> String[40]:
    """
    @notice Returns why an order does not fill; empty where it does.
    @param trader The 20-byte address of who placed it.
    @param size The size that he has.
    @param delta The size to add.
    @param acceptable The worst index at which it fills.
    @param price The index at which it would.
    @return String The reason.
    """
    if delta == 0:
        return "miner_perp: nothing to trade"
    if (delta > 0 and price > acceptable) or (delta < 0 and price < acceptable):
        return "miner_perp: beyond acceptable"
    if size + delta == 0:
        return ""
    return self._check_change(trader, size, delta, price, 0)


@internal
@view
def _check_change(trader: address, size: int256, delta: int256, price: uint256, more: uint256) -> String[40]:
    """
    @notice Returns why a position cannot be what a trade would make of it; empty where it can.
    @param trader The 20-byte address of its holder.
    @param size The size that he has.
    @param delta The size to add.
    @param price The index.
    @param more What he pays beside the fee.
    @return String The reason.
    """
    after: int256 = size + delta
    if after != 0 and perp_book._notional(after, price) < terms.min_notional:
        return "miner_perp: position is too small"
    if abs(after) <= abs(size) and (after == 0 or (after > 0) == (size > 0)):
        return "miner_perp: is liquidatable" if self._is_liquidatable(trader, price) and after != 0 else ""
    if self.paused:
        return "miner_perp: paused"
    grows: int256 = delta if (after > 0) == (size > 0) else after
    most: uint256 = perp_book.pool * terms.max_open_interest // _WAD
    if perp_book._notional(convert(perp_book.side_size[after > 0], int256) + abs(grows), price) > most:
        return "miner_perp: above open interest"
    fee: uint256 = self._fee(delta, price) + more
    return "" if self._has_initial(trader, after, price, fee) else "miner_perp: too little margin"


@internal
def _settle_trade(trader: address, delta: int256, price: uint256, fee: uint256) -> uint256:
    """
    @notice Books a trade and its fee, and what became of profit and debt.
    @param trader The 20-byte address of the position's holder.
    @param delta The size to add.
    @param price The index.
    @param fee The fee, taken as far as the margin reaches.
    @return uint256 What nobody but the pool paid.
    """
    before: int256 = perp_book.positions[trader].size
    settled: perp_book.Settled = perp_book._trade(
        trader, delta, price, skew_funding.funding_index, terms.max_profit
    )
    paid: uint256 = perp_book._take(trader, fee)
    perp_book._share_out(paid, terms.insurance_share, terms.protocol_share)
    self.bad_debt += settled.bad_debt
    after: int256 = perp_book.positions[trader].size
    if after == 0 or (before > 0) != (after > 0) and before != 0:
        # A stop is for one side: on the other it would be touched already.
        self.stops[trader] = empty(Stop)
    log Traded(
        trader=trader, delta=delta, price=price, fee=paid, gain=settled.gain, funding=settled.funding
    )
    if settled.cut != 0:
        self.profits_cut += settled.cut
        log ProfitCut(trader=trader, missing=settled.cut)
    return settled.bad_debt


@internal
def _trade(trader: address, delta: int256, price: uint256):
    """
    @notice Books a trade with its fee.
    @param trader The 20-byte address of the position's holder.
    @param delta The size to add.
    @param price The index.
    """
    self._settle_trade(trader, delta, price, self._fee(delta, price))
