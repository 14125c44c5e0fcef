# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Trading Desk of the Stage
@custom:contract-name desk
@license GNU Affero General Public License v3.0 only
@notice Stage prop: stands for the market on which investors trade. It buys and
        sells any listed token against USDC out of its inventory, at the price of
        the token's feed less or plus a spread, and holds their stop-loss orders.
        Where what a sale pays is not the price less a constant spread, a second feed
        says what the desk pays; it then quotes both sides or none.
        A keeper executes a stop once a round of the feed has touched its trigger,
        at the price of a later round: what falls between the two is the holder's
        loss, as with a gap on a real market.
@dev Prices have 18 decimals (1e18 = one USD for a whole token), amounts are the
     token's own. USDC counts as one USD unless the desk has a feed of its price:
     prices and triggers stay in USD, and what is paid is worth that many USD in
     USDC. What a trader pays rounds up, what a trader gets rounds down. Tokens stay
     with the holder of an order until it is executed. The owner stocks and empties the desk; the keeper decides only
     when a stop that has been touched is executed, never its price.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed


from snekmate.auth import ownable
initializes: ownable


from snekmate.utils import math


from .interfaces import IAggregatorV3


from .modules import asset_token
from .modules import feed


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


# @dev What the desk knows of a token; `unit` is 10 ** decimals, zero where it is
# not listed, and `bid_feed` is zero where the desk buys at the feed less the spread.
struct Listing:
    feed: address
    spread_bps: uint256
    unit: uint256
    bid_feed: address


# @dev A stop-loss order; no holder means that it is done or cancelled.
struct Stop:
    holder: address
    token: address
    amount: uint256
    trigger: uint256
    after_round: uint80


# @dev 100 % in basis points.
_BPS: constant(uint256) = 10_000


# @dev The greatest spread a token may be listed with, 50 %.
_MAX_SPREAD_BPS: constant(uint256) = 5_000


# @dev Decimals of prices.
_PRICE_DECIMALS: constant(uint256) = 18


# @dev From USD with 18 decimals to USDC with 6.
_USDC_SCALE: constant(uint256) = 10 ** 12


# @dev From the price of USDC with 18 decimals to its part in `_value`.
_USDC_PRICE_SCALE: constant(uint256) = 10 ** 6


# @dev Pays and is paid for every token.
usdc: public(immutable(address))


# @dev Executes stops.
keeper: public(immutable(address))


# @dev The greatest age in seconds of an answer that is still traded at.
feed_max_age: public(immutable(uint256))


# @dev Price of USDC in USD; zero where it counts as one.
usdc_feed: public(immutable(address))


# @dev The terms on which a token is traded.
listings: public(HashMap[address, Listing])


# @dev Stop-loss orders by number, the first one is 1.
stops: public(HashMap[uint256, Stop])


# @dev Number of orders ever placed.
stop_count: public(uint256)


event Listed:
    token: indexed(address)
    feed: indexed(address)
    spread_bps: uint256
    bid_feed: address


event Bought:
    trader: indexed(address)
    token: indexed(address)
    amount: uint256
    cost: uint256
    price: uint256


event Sold:
    trader: indexed(address)
    token: indexed(address)
    amount: uint256
    proceeds: uint256
    price: uint256


event StopPlaced:
    id: indexed(uint256)
    holder: indexed(address)
    token: indexed(address)
    amount: uint256
    trigger: uint256


event StopMoved:
    id: indexed(uint256)
    amount: uint256
    trigger: uint256


event StopCancelled:
    id: indexed(uint256)


event StopExecuted:
    id: indexed(uint256)
    holder: indexed(address)
    token: indexed(address)
    amount: uint256
    proceeds: uint256
    price: uint256


event TakenOut:
    token: indexed(address)
    receiver: indexed(address)
    amount: uint256


@deploy
def __init__(usdc_: address, keeper_: address, feed_max_age_: uint256, usdc_feed_: address):
    """
    @notice Deploys a desk that trades nothing yet; the deployer becomes its owner.
    @param usdc_ The 20-byte address of the token with 6 decimals that all is paid in.
    @param keeper_ The 20-byte address that executes stops.
    @param feed_max_age_ The greatest age of an answer while its market trades, seconds.
    @param usdc_feed_ The 20-byte address of the price of USDC in USD
           (`AggregatorV3Interface`), up to 18 decimals; zero where it counts as one. Its
           market never closes.
    """
    ownable.__init__()
    usdc = usdc_
    keeper = keeper_
    feed_max_age = feed_max_age_
    usdc_feed = usdc_feed_


@external
def list_token(
    token: address, price_feed: address, spread_bps: uint256, bid_feed: address = empty(address)
):
    """
    @notice Trades a token from now on, or on other terms; owner only.
    @param token The 20-byte token address, up to 18 decimals.
    @param price_feed The 20-byte address of its price in USD (`AggregatorV3Interface`),
           up to 18 decimals. Its rounds are what touches stops.
    @param spread_bps What is added when the desk sells and, without a feed of its own
           for that, taken off when it buys (10,000 = 100 %), at most 50 %.
    @param bid_feed The 20-byte address of the price at which the desk buys, up to 18
           decimals, written at each price that is to be traded at; zero for the price
           less the spread.
    """
    ownable._check_owner()
    assert token != usdc, "desk: USDC is what all is paid in"
    assert spread_bps <= _MAX_SPREAD_BPS, "desk: spread is too wide"
    decimals: uint256 = convert(staticcall IERC20Detailed(token).decimals(), uint256)
    most: uint256 = max(decimals, self._decimals(price_feed))
    if bid_feed != empty(address):
        most = max(most, self._decimals(bid_feed))
    assert most <= _PRICE_DECIMALS, "desk: more than 18 decimals"
    self.listings[token] = Listing(
        feed=price_feed, spread_bps=spread_bps, unit=10 ** decimals, bid_feed=bid_feed
    )
    log Listed(token=token, feed=price_feed, spread_bps=spread_bps, bid_feed=bid_feed)


@external
def take_out(token: address, receiver: address, amount: uint256):
    """
    @notice Takes tokens or USDC out of the inventory; owner only. It is stocked by
            plain transfers.
    @param token The 20-byte token address.
    @param receiver The 20-byte receiver address.
    @param amount The amount that leaves the desk.
    """
    ownable._check_owner()
    asset_token._push(token, receiver, amount)
    log TakenOut(token=token, receiver=receiver, amount=amount)


@external
def buy(token: address, amount: uint256, max_cost: uint256) -> uint256:
    """
    @notice Sells `amount` of a token to the caller at the ask.
    @dev A fee that the token takes comes out of what the caller gets.
    @param token The 20-byte token address.
    @param amount The amount that leaves the desk.
    @param max_cost The most USDC the caller will pay (6 decimals).
    @return uint256 The USDC paid, rounded up.
    """
    price: uint256 = self._ask(token)
    cost: uint256 = self._value(token, amount, price, True)
    assert cost <= max_cost, "desk: exceeds the most to pay"
    assert amount <= staticcall IERC20(token).balanceOf(self), "desk: inventory is too small"
    asset_token._pull(usdc, msg.sender, cost)
    asset_token._push(token, msg.sender, amount)
    log Bought(trader=msg.sender, token=token, amount=amount, cost=cost, price=price)
    return cost


@external
def sell(token: address, amount: uint256, min_proceeds: uint256) -> uint256:
    """
    @notice Buys `amount` of a token from the caller at the bid.
    @dev Where the token takes a fee, what arrives is paid for.
    @param token The 20-byte token address.
    @param amount The amount that leaves the caller.
    @param min_proceeds The least USDC the caller will take (6 decimals).
    @return uint256 The USDC paid out, rounded down.
    """
    price: uint256 = self._bid(token)
    proceeds: uint256 = self._take(token, msg.sender, amount, price)
    assert proceeds >= min_proceeds, "desk: below the least to take"
    log Sold(trader=msg.sender, token=token, amount=amount, proceeds=proceeds, price=price)
    return proceeds


@external
def place_stop(token: address, amount: uint256, trigger: uint256) -> uint256:
    """
    @notice Orders that up to `amount` be sold after the price has touched `trigger`.
    @dev The tokens stay with the caller, who has to approve the desk. An order to
         sell everything names the largest number.
    @param token The 20-byte token address.
    @param amount The most that is sold, and no more than the caller then has.
    @param trigger The price at or below which the order is to be executed, 18
           decimals; below the price now.
    @return uint256 The number of the order.
    """
    assert amount != 0, "desk: nothing to sell"
    id: uint256 = self.stop_count + 1
    self.stop_count = id
    self.stops[id] = Stop(
        holder=msg.sender,
        token=token,
        amount=amount,
        trigger=trigger,
        after_round=self._round_above(token, trigger),
    )
    log StopPlaced(id=id, holder=msg.sender, token=token, amount=amount, trigger=trigger)
    return id


@external
def move_stop(id: uint256, amount: uint256, trigger: uint256):
    """
    @notice Changes an order of the caller; rounds up to now no longer touch it.
    @param id The number of the order.
    @param amount The most that is sold.
    @param trigger The new trigger, 18 decimals; below the price now.
    """
    token: address = self._own_stop(id)
    assert amount != 0, "desk: nothing to sell"
    self.stops[id].amount = amount
    self.stops[id].trigger = trigger
    self.stops[id].after_round = self._round_above(token, trigger)
    log StopMoved(id=id, amount=amount, trigger=trigger)


@external
def cancel_stop(id: uint256):
    """
    @notice Withdraws an order of the caller.
    @param id The number of the order.
    """
    self._own_stop(id)
    self.stops[id] = empty(Stop)
    log StopCancelled(id=id)


@external
def execute_stop(id: uint256, touched_round: uint80) -> uint256:
    """
    @notice Sells for the holder of an order at the latest price, which must be of a
            later round than the one that touched the trigger; keeper only.
    @dev Sold is the least of the order's amount, the holder's balance and allowance.
    @param id The number of the order.
    @param touched_round A round of the feed since the order was placed or moved,
           whose answer is at or below the trigger.
    @return uint256 The USDC paid to the holder, rounded down.
    """
    assert msg.sender == keeper, "desk: caller is not the keeper"
    order: Stop = self.stops[id]
    assert order.holder != empty(address), "desk: no such order"
    assert touched_round > order.after_round, "desk: round is before the order"
    price_feed: address = self.listings[order.token].feed
    assert self._answer(price_feed, touched_round) <= order.trigger, "desk: not touched"
    assert touched_round < self._latest_round(price_feed), "desk: no round after the touch"

    price: uint256 = self._bid(order.token)
    amount: uint256 = min(
        order.amount,
        min(
            staticcall IERC20(order.token).balanceOf(order.holder),
            staticcall IERC20(order.token).allowance(order.holder, self),
        ),
    )
    assert amount != 0, "desk: nothing to sell"
    self.stops[id] = empty(Stop)
    proceeds: uint256 = self._take(order.token, order.holder, amount, price)
    log StopExecuted(
        id=id, holder=order.holder, token=order.token, amount=amount, proceeds=proceeds, price=price
    )
    return proceeds


@external
@view
def quote_buy(token: address, amount: uint256) -> uint256:
    """
    @notice Returns what buying `amount` costs now, USDC rounded up.
    """
    return self._value(token, amount, self._ask(token), True)


@external
@view
def quote_sell(token: address, amount: uint256) -> uint256:
    """
    @notice Returns what selling `amount` that arrives pays now, USDC rounded down.
    """
    return self._value(token, amount, self._bid(token), False)


@external
@view
def is_touched(id: uint256) -> bool:
    """
    @notice Returns whether the latest round touches an order placed before it.
    """
    order: Stop = self.stops[id]
    if order.holder == empty(address):
        return False
    price_feed: address = self.listings[order.token].feed
    latest: uint80 = self._latest_round(price_feed)
    return latest > order.after_round and self._answer(price_feed, latest) <= order.trigger


@internal
@view
def _open_price(price_feed: address) -> uint256:
    """
    @notice Returns the answer of a feed whose market is open, 18 decimals.
    """
    assert not feed._is_market_closed(price_feed), "desk: market is closed"
    return feed._read(price_feed, feed_max_age)


@internal
@view
def _quotes(token: address) -> (uint256, uint256):
    """
    @notice Returns the price at which the desk sells, rounded up, and that at which it
            buys, rounded down. A desk that would buy above what it sells at, or at a bid
            older than the price, does neither.
    """
    listing: Listing = self.listings[token]
    mid: uint256 = self._open_price(self._feed(token))
    ask: uint256 = math._mul_div(mid, _BPS + listing.spread_bps, _BPS, True)
    if listing.bid_feed == empty(address):
        return ask, math._mul_div(mid, _BPS - listing.spread_bps, _BPS, False)
    bid: uint256 = self._open_price(listing.bid_feed)
    assert bid <= ask, "desk: bid is above the ask"
    # A bid from before the latest price is one for another price, and for a stop one from
    # before its touch.
    assert feed._latest(listing.bid_feed)[1] <= feed._latest(listing.feed)[1], "desk: bid is older than the price"
    return ask, bid


@internal
@view
def _ask(token: address) -> uint256:
    """
    @notice Returns the price at which the desk sells.
    """
    ask: uint256 = 0
    bid: uint256 = 0
    ask, bid = self._quotes(token)
    return ask


@internal
@view
def _bid(token: address) -> uint256:
    """
    @notice Returns the price at which the desk buys.
    """
    ask: uint256 = 0
    bid: uint256 = 0
    ask, bid = self._quotes(token)
    return bid


@internal
@view
def _value(token: address, amount: uint256, price: uint256, round_up: bool) -> uint256:
    """
    @notice Returns what `amount` is worth at `price`, in USDC.
    @dev It is divided once, by the price of USDC too: one rounding, against the trader.
    """
    unit: uint256 = self.listings[token].unit
    if usdc_feed == empty(address):
        return math._mul_div(amount, price, unit * _USDC_SCALE, round_up)
    # USDC never closes: no market status excuses an answer that is too old.
    usdc_price: uint256 = feed._read_attested(usdc_feed, feed_max_age)
    return math._mul_div(amount * _USDC_PRICE_SCALE, price, unit * usdc_price, round_up)


@internal
@view
def _feed(token: address) -> address:
    """
    @notice Returns the feed of a listed token.
    """
    listing: Listing = self.listings[token]
    assert listing.unit != 0, "desk: token is not listed"
    return listing.feed


@internal
def _take(token: address, trader: address, amount: uint256, price: uint256) -> uint256:
    """
    @notice Takes tokens in and pays for what arrived.
    """
    received: uint256 = asset_token._pull(token, trader, amount)
    proceeds: uint256 = self._value(token, received, price, False)
    assert proceeds <= staticcall IERC20(usdc).balanceOf(self), "desk: inventory is too small"
    asset_token._push(usdc, trader, proceeds)
    return proceeds


@internal
@view
def _own_stop(id: uint256) -> address:
    """
    @notice Returns the token of an order, which must be the caller's.
    """
    order: Stop = self.stops[id]
    assert order.holder == msg.sender, "desk: not the caller's order"
    return order.token


@internal
@view
def _round_above(token: address, trigger: uint256) -> uint80:
    """
    @notice Returns the latest round, whose answer must be above `trigger`.
    """
    price_feed: address = self._feed(token)
    latest: uint80 = self._latest_round(price_feed)
    assert self._answer(price_feed, latest) > trigger, "desk: price is at the trigger already"
    return latest


@internal
@view
def _decimals(price_feed: address) -> uint256:
    """
    @notice Returns the decimals of a feed's answers.
    """
    return convert(staticcall IAggregatorV3(price_feed).decimals(), uint256)


@internal
@view
def _latest_round(price_feed: address) -> uint80:
    """
    @notice Returns the number of a feed's latest round.
    """
    id: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    updated_at: uint256 = 0
    answered_in: uint80 = 0
    id, answer, started_at, updated_at, answered_in = staticcall IAggregatorV3(price_feed).latestRoundData()
    return id


@internal
@view
def _answer(price_feed: address, round_id: uint80) -> uint256:
    """
    @notice Returns the positive answer of a round, scaled to 18 decimals.
    """
    id: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    updated_at: uint256 = 0
    answered_in: uint80 = 0
    id, answer, started_at, updated_at, answered_in = staticcall IAggregatorV3(price_feed).getRoundData(round_id)
    assert answer > 0, "desk: answer is not positive"
    return convert(answer, uint256) * 10 ** (_PRICE_DECIMALS - self._decimals(price_feed))
