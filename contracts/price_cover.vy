# pragma version ==0.4.3
# pragma evm-version cancun
# pragma optimize codesize
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Cover against a fall of a Price
@custom:contract-name price_cover
@license GNU Affero General Public License v3.0 only
@notice Underwriters pool dollars; a producer buys cover on tonnes at a strike for a
        term. At the end max(strike - settlement, 0) x tonnes is paid. The settlement
        is the time-weighted average of the feed's rounds over the last part of the
        term, from round data alone, and is fixed once.
        Sums insured (strike x tonnes) never exceed pool x leverage. With leverage 1
        every claim can be paid in full. With more, a day's policies are paid at most
        their part of the pool by sums insured, pro rata, and what is missing is
        logged as a shortfall.
@dev Shares follow ERC-4626 for deposits; withdrawals take a request, a cooldown, and
     a claim within a window. Capital behind policies cannot leave. While a policy is
     triggered (its settlement stood below its strike x `trigger_share`, and not at
     its strike since) nothing is sold, nobody enters, and who leaves does so as if
     its whole sum insured were lost. A settlement stands at the latest price, and
     once its period has begun at the mean with what was seen of it: a fall that will
     be paid stays marked when the price recovers. Assets are counted inside:
     donations change nothing. Scales: tonnes and USD per tonne x 1e18; rates, shares
     and leverage 1e18 = 100 %; assets in the asset's unit, taken to be worth a
     dollar.
"""


from ethereum.ercs import IERC20
implements: IERC20


from ethereum.ercs import IERC20Detailed
implements: IERC20Detailed


from ethereum.ercs import IERC4626
implements: IERC4626


from snekmate.tokens.interfaces import IERC20Permit
implements: IERC20Permit


from snekmate.utils.interfaces import IERC5267
implements: IERC5267


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from snekmate.utils import math


from .interfaces import IFeedReader


from .modules import asset_token
from .modules import premium_curve
from .modules import share_math


from .modules import share_token
initializes: share_token[erc20 := erc20]


from .modules import cover_book
initializes: cover_book


exports: (
    ownable.owner,
    ownable.transfer_ownership,
    ownable.renounce_ownership,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
    share_token.transfer,
    share_token.transferFrom,
    cover_book.policies,
    cover_book.policy_count,
    cover_book.settlements,
    cover_book.locked,
    cover_book.triggered_sum,
    cover_book.set_aside,
    cover_book.accrued_at,
    cover_book.due_days,
)


struct Terms:
    # Sums insured over pool, at most (1e18 = 1, fully collateralised).
    leverage: uint256
    # Strike over the latest price, at most (1e18 = 100 %).
    max_strike_share: uint256
    # A policy is triggered below strike x this (1e18 = 100 %).
    trigger_share: uint256
    # The least sum insured, in the asset's unit.
    min_sum_insured: uint256
    # Bounds of a term, and the wait before it, in days.
    min_term_days: uint256
    max_term_days: uint256
    lag_days: uint256
    # The part of the term, before its end, that the settlement is the average of.
    window_seconds: uint256
    # The greatest age of an answer of the feed.
    feed_max_age: uint256
    # The wait after a request to withdraw, and how long it can be claimed then.
    cooldown_seconds: uint256
    claim_window_seconds: uint256
    # Premium a year per sum insured, by utilisation (1e18 = 100 %).
    premium_floor: uint256
    premium_slope: uint256
    premium_ceiling: uint256


struct Request:
    shares: uint256
    # Unix seconds.
    ripe_at: uint256


_WAD: constant(uint256) = 10**18
_DAY: constant(uint256) = 86_400


# @dev The greatest leverage, and the greatest strike over price.
_MAX_LEVERAGE: constant(uint256) = 5 * _WAD
_MAX_STRIKE_SHARE: constant(uint256) = 2 * _WAD


# @dev The longest term and cooldown, ten years.
_MAX_DAYS: constant(uint256) = 3_650


# @dev The most assets the pool takes, so that no product overflows.
_MAX_ASSETS: constant(uint256) = 10**30


# @dev A pool whose share is worth less than this part of what it cost is ruined: a
# deposit would get more shares than can be counted.
_RUIN: constant(uint256) = 10**6


# @dev The token that is pooled and paid.
asset: public(immutable(address))


# @dev Price of a tonne in USD.
price_feed: public(immutable(address))


# @dev Makes prices out of the feed's rounds.
feed_reader: public(immutable(address))


# @dev What cannot be changed.
terms: public(immutable(Terms))


# @dev Tonnes x USD per tonne (x 1e36) of one unit of the asset.
_SCALE: immutable(uint256)


# @dev Whether deposits and sales are stopped.
paused: public(bool)


# @dev What an underwriter has asked to withdraw; the contract holds these shares.
requests: public(HashMap[address, Request])


# @dev Premiums of voided policies that could not be returned when they were voided.
refunds: public(HashMap[address, uint256])


event WithdrawRequested:
    owner: indexed(address)
    shares: uint256
    ripe_at: uint256


event WithdrawCancelled:
    owner: indexed(address)
    shares: uint256


event CoverBought:
    policy_id: indexed(uint256)
    holder: indexed(address)
    amount: uint256
    strike: uint256
    sum_insured: uint256
    premium: uint256
    start: uint256
    expiry: uint256


event CoverVoided:
    policy_id: indexed(uint256)
    price: uint256
    premium: uint256


event Triggered:
    policy_id: indexed(uint256)
    price: uint256


event TriggerCleared:
    policy_id: indexed(uint256)
    price: uint256


event SettlementFixed:
    expiry: indexed(uint256)
    price: uint256
    owed: uint256
    paid: uint256


event CoverSettled:
    policy_id: indexed(uint256)
    holder: indexed(address)
    owed: uint256
    paid: uint256


event Shortfall:
    policy_id: indexed(uint256)
    holder: indexed(address)
    missing: uint256


event CoverExpired:
    policy_id: indexed(uint256)


event Paused: pass


event Unpaused: pass


@deploy
def __init__(
    name_: String[25],
    symbol_: String[5],
    asset_: address,
    price_feed_: address,
    feed_reader_: address,
    guardian_: address,
    terms_: Terms,
):
    """
    @notice Deploys an empty pool.
    @param name_ The name of the shares, up to 25 characters.
    @param symbol_ The symbol of the shares, up to 5 characters.
    @param asset_ The 20-byte address of the pooled dollar token.
    @param price_feed_ The 20-byte address of the feed of USD per tonne.
    @param feed_reader_ The 20-byte address of the contract that makes prices out of the
           feed's rounds (`IFeedReader`): trusted as the feed is.
    @param guardian_ The 20-byte address that may stop deposits and sales: the owner.
    @param terms_ The terms; nobody can change them.
    """
    assert guardian_ != empty(address), "price_cover: guardian is the zero address"
    assert price_feed_ != empty(address), "price_cover: feed is the zero address"
    assert feed_reader_ != empty(address), "price_cover: reader is the zero address"
    assert staticcall IFeedReader(feed_reader_).scale(price_feed_) != 0, "price_cover: reader has no scale"
    self._check_terms(terms_)

    ownable.__init__()
    ownable._transfer_ownership(guardian_)
    decimals: uint8 = staticcall IERC20Detailed(asset_).decimals()
    erc20.__init__(name_, symbol_, decimals, name_, "1")
    cover_book.__init__()
    asset = asset_
    price_feed = price_feed_
    feed_reader = feed_reader_
    terms = terms_
    _SCALE = 10 ** (36 - convert(decimals, uint256))


# --- Underwriters (ERC-4626, withdrawals by request) --------------------------


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """
    @notice Takes `assets`; what arrives is credited.
    @param assets The amount that leaves the caller.
    @param receiver The 20-byte address that gets the shares.
    @return uint256 The shares, rounded down.
    """
    self._begin_entry()
    received: uint256 = asset_token._pull(asset, msg.sender, assets)
    shares: uint256 = self._to_shares(received, False)
    share_math._check_fair(received, shares, cover_book._total(), erc20.totalSupply)
    self._enter(receiver, received, shares)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    """
    @notice Takes what `shares` cost.
    @param shares The shares to receive.
    @param receiver The 20-byte address that gets them.
    @return uint256 The assets that left the caller, rounded up.
    """
    self._begin_entry()
    assert shares != 0, "price_cover: no shares"
    cost: uint256 = self._to_assets(shares, True)
    received: uint256 = asset_token._pull(asset, msg.sender, cost)
    assert received == cost, "price_cover: too little arrived"
    self._enter(receiver, cost, shares)
    return cost


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Always refused: a withdrawal takes a request and a cooldown.
    @param assets The amount.
    @param receiver The 20-byte address that would get it.
    @param owner The 20-byte address whose shares would be burnt.
    @return uint256 Nothing.
    """
    self._refuse()
    return 0


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Always refused: a withdrawal takes a request and a cooldown.
    @param shares The shares.
    @param receiver The 20-byte address that would get the assets.
    @param owner The 20-byte address whose shares would be burnt.
    @return uint256 Nothing.
    """
    self._refuse()
    return 0


@external
def requestWithdraw(shares: uint256) -> uint256:
    """
    @notice Hands in shares to withdraw, on top of those handed in before, and starts
            the cooldown anew. They stay shares, and share gains and losses.
    @param shares The shares, above zero.
    @return uint256 From when they can be claimed, Unix seconds.
    """
    self._check_requested(shares)
    erc20._transfer(msg.sender, self, shares)
    ripe_at: uint256 = block.timestamp + terms.cooldown_seconds
    self.requests[msg.sender] = Request(shares=self.requests[msg.sender].shares + shares, ripe_at=ripe_at)
    log WithdrawRequested(owner=msg.sender, shares=shares, ripe_at=ripe_at)
    return ripe_at


@external
def cancelWithdraw() -> uint256:
    """
    @notice Returns the caller's requested shares, lapsed or not.
    @return uint256 The shares.
    """
    shares: uint256 = self.requests[msg.sender].shares
    self._check_requested(shares)
    self.requests[msg.sender] = empty(Request)
    erc20._transfer(self, msg.sender, shares)
    log WithdrawCancelled(owner=msg.sender, shares=shares)
    return shares


@external
def claimWithdraw(receiver: address) -> uint256:
    """
    @notice Pays the caller's requested shares, as far as free capital reaches; the
            rest stays requested until the window closes.
    @dev The price is that of now, less the whole sum insured of triggered policies:
         nobody leaves ahead of a claim that can be seen.
    @param receiver The 20-byte address that gets the assets.
    @return uint256 The assets, rounded down.
    """
    self._begin()
    request: Request = self.requests[msg.sender]
    self._check_requested(request.shares)
    assert block.timestamp >= request.ripe_at, "price_cover: cooling down"
    lapses_at: uint256 = request.ripe_at + terms.claim_window_seconds
    assert block.timestamp <= lapses_at, "price_cover: request lapsed"

    assets: uint256 = 0
    shares: uint256 = 0
    assets, shares = self._claimable(request.shares)
    assert assets != 0, "price_cover: no free capital"
    self.requests[msg.sender].shares = request.shares - shares
    erc20._burn(self, shares)
    cover_book._take(assets)
    asset_token._push(asset, receiver, assets)
    log IERC4626.Withdraw(sender=msg.sender, receiver=receiver, owner=msg.sender, assets=assets, shares=shares)
    return assets


@external
@view
def totalAssets() -> uint256:
    """
    @notice Returns what the underwriters own: deposits and earned premiums less
            payouts fixed and withdrawals.
    @return uint256 The assets.
    """
    return cover_book._total()


@external
@view
def convertToShares(assetAmount: uint256) -> uint256:
    """
    @notice Returns the shares that an amount is worth.
    @param assetAmount The assets.
    @return uint256 The shares, rounded down.
    """
    return self._to_shares(assetAmount, False)


@external
@view
def convertToAssets(shareAmount: uint256) -> uint256:
    """
    @notice Returns the assets that shares are worth by the book; claims to come from
            open policies are not taken off.
    @param shareAmount The shares.
    @return uint256 The assets, rounded down.
    """
    return self._to_assets(shareAmount, False)


@external
@view
def previewDeposit(assets: uint256) -> uint256:
    """
    @notice Returns the shares that a deposit now would give, net of transfer fees.
    @param assets The amount that would leave the caller.
    @return uint256 The shares, rounded down.
    """
    return self._to_shares(asset_token._net(asset, assets), False)


@external
@view
def previewMint(shares: uint256) -> uint256:
    """
    @notice Returns what minting `shares` now would cost.
    @param shares The shares.
    @return uint256 The assets, rounded up.
    """
    return self._to_assets(shares, True)


@external
@view
def previewWithdraw(assets: uint256) -> uint256:
    """
    @notice Returns the shares that an amount costs by the book.
    @param assets The amount.
    @return uint256 The shares, rounded up.
    """
    return self._to_shares(assets, True)


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    """
    @notice Returns what shares are worth by the book.
    @param shares The shares.
    @return uint256 The assets, rounded down.
    """
    return self._to_assets(shares, False)


@external
@view
def maxDeposit(receiver: address) -> uint256:
    """
    @notice Returns the most that a deposit may be; zero while none is taken.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The assets; zero for the pool itself.
    """
    return self._deposit_limit(receiver)


@external
@view
def maxMint(receiver: address) -> uint256:
    """
    @notice Returns the shares that `maxDeposit` would buy.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The shares.
    """
    return self._to_shares(self._deposit_limit(receiver), False)


@external
@view
def maxWithdraw(owner: address) -> uint256:
    """
    @notice Returns zero: a withdrawal takes a request.
    @param owner The 20-byte address of the holder.
    @return uint256 Zero.
    """
    return 0


@external
@view
def maxRedeem(owner: address) -> uint256:
    """
    @notice Returns zero: a withdrawal takes a request.
    @param owner The 20-byte address of the holder.
    @return uint256 Zero.
    """
    return 0


@external
@view
def exit_value(shares: uint256) -> uint256:
    """
    @notice Returns what `claimWithdraw` would pay for `shares` now, cooldown apart.
    @param shares The shares.
    @return uint256 The assets, rounded down, as far as free capital reaches.
    """
    return self._claimable(shares)[0]


@external
@view
def free_capital() -> uint256:
    """
    @notice Returns the capital that no policy needs: what can leave at most.
    @return uint256 The assets.
    """
    return self._free()


@external
@view
def share_price() -> uint256:
    """
    @notice Returns the assets per share by the book.
    @return uint256 The price (1e27 = one for one), rounded down.
    """
    return share_math._price(cover_book._total(), erc20.totalSupply)


# --- Policies ----------------------------------------------------------------


@external
@view
def quote(amount: uint256, strike: uint256, term_days: uint256) -> uint256:
    """
    @notice Returns the premium of a cover bought now.
    @param amount The tonnes x 1e18.
    @param strike The strike in USD per tonne x 1e18.
    @param term_days The term in days.
    @return uint256 The premium, rounded up for each day.
    """
    return self._premium_per_day(self._sum_insured(amount, strike)) * term_days


@external
def buy_cover(amount: uint256, strike: uint256, term_days: uint256, max_premium: uint256) -> uint256:
    """
    @notice Sells a cover from the first midnight after the lag on. The premium is paid
            now and earned over the term.
    @param amount The tonnes x 1e18.
    @param strike The strike in USD per tonne x 1e18.
    @param term_days The term in days.
    @param max_premium The most the caller is ready to pay.
    @return uint256 The number of the policy; payouts go to the caller.
    """
    self._begin()
    self._check_open()
    assert strike != 0, "price_cover: strike is zero"
    assert term_days >= terms.min_term_days, "price_cover: term is too short"
    assert term_days <= terms.max_term_days, "price_cover: term is too long"
    highest: uint256 = self._latest() * terms.max_strike_share // _WAD
    assert strike <= highest, "price_cover: strike is too high"
    sum_insured: uint256 = self._sum_insured(amount, strike)
    assert sum_insured >= terms.min_sum_insured, "price_cover: sum is too small"
    assert cover_book.locked + sum_insured <= self._capacity(), "price_cover: exceeds capacity"

    premium_per_day: uint256 = self._premium_per_day(sum_insured)
    premium: uint256 = premium_per_day * term_days
    assert premium <= max_premium, "price_cover: premium is too high"
    start: uint256 = ((block.timestamp + _DAY - 1) // _DAY + terms.lag_days) * _DAY
    id: uint256 = cover_book._open(
        cover_book.Policy(
            holder=msg.sender,
            amount=amount,
            strike=strike,
            sum_insured=sum_insured,
            premium_per_day=premium_per_day,
            bought_at=block.timestamp,
            start=start,
            expiry=start + term_days * _DAY,
            is_triggered=False,
            is_closed=False,
        )
    )
    assert asset_token._pull(asset, msg.sender, premium) == premium, "price_cover: too little arrived"
    log CoverBought(
        policy_id=id,
        holder=msg.sender,
        amount=amount,
        strike=strike,
        sum_insured=sum_insured,
        premium=premium,
        start=start,
        expiry=start + term_days * _DAY,
    )
    return id


@external
def void(policy_id: uint256, round_id: uint80):
    """
    @notice Cancels a policy that was triggered during the lag and returns its premium:
            a fall that began before the cover is not insured. Anyone, until it starts.
    @dev Also while a settlement is due, which could else carry a policy over its lag.
    @param policy_id The number of the policy.
    @param round_id A round not from before the purchase with a price below the trigger.
    """
    cover_book._accrue_to_now()
    policy: cover_book.Policy = self._known(policy_id)
    assert block.timestamp < policy.start, "price_cover: cover has started"
    price: uint256 = 0
    updated_at: uint256 = 0
    price, updated_at = staticcall IFeedReader(feed_reader).reading(price_feed, round_id)
    # A round of the purchase's own second may have been seen coming, and counts.
    assert updated_at >= policy.bought_at, "price_cover: round is too old"
    assert price != 0, "price_cover: no price"
    assert price < self._trigger_price(policy.strike), "price_cover: not triggered"
    premium: uint256 = cover_book._void(policy_id)
    if asset_token._is_stopped(asset, policy.holder):
        # Who cannot be paid now must not be insured for that.
        cover_book.set_aside += premium
        self.refunds[policy.holder] += premium
    else:
        asset_token._push(asset, policy.holder, premium)
    log CoverVoided(policy_id=policy_id, price=price, premium=premium)


@external
def pay_refund(holder: address):
    """
    @notice Returns premiums that the asset's pause or blacklist held back; nothing where
            there are none. Anyone.
    @param holder The 20-byte address that gets them.
    """
    amount: uint256 = self.refunds[holder]
    self.refunds[holder] = 0
    cover_book.set_aside -= amount
    asset_token._push(asset, holder, amount)


@external
def trigger(policy_id: uint256):
    """
    @notice Notes that a running policy's settlement stands below its trigger: sales and
            deposits stop until that is over, by its settlement at the latest. Anyone.
    @dev Also while a settlement is due: who fixes that could else leave in the same
         transaction, before the mark.
    @param policy_id The number of the policy.
    """
    cover_book._accrue_to_now()
    policy: cover_book.Policy = self._known(policy_id)
    assert not policy.is_triggered, "price_cover: already triggered"
    assert block.timestamp >= policy.start and block.timestamp < policy.expiry, "price_cover: cover not running"
    price: uint256 = self._standing(policy.expiry)
    assert price < self._trigger_price(policy.strike), "price_cover: not triggered"
    cover_book._mark(policy_id, True)
    log Triggered(policy_id=policy_id, price=price)


@external
def clear_trigger(policy_id: uint256):
    """
    @notice Notes that a triggered policy's settlement stands at its strike again. Anyone.
    @param policy_id The number of the policy.
    """
    self._begin()
    policy: cover_book.Policy = self._known(policy_id)
    assert policy.is_triggered, "price_cover: nothing to clear"
    # An answer that is too old to sell on clears nothing either. It marks all the same:
    # a settlement moves with rounds alone, so its fall can be known while the feed fails.
    self._latest()
    price: uint256 = self._standing(policy.expiry)
    assert price >= policy.strike, "price_cover: below the strike"
    cover_book._mark(policy_id, False)
    log TriggerCleared(policy_id=policy_id, price=price)


@external
def fix_settlement(expiry: uint256, last_round: uint80) -> uint256:
    """
    @notice Fixes the price of all policies that ended at `expiry`, releases their
            capital and sets their payouts aside. Anyone, once.
    @param expiry The time of expiry, Unix seconds.
    @param last_round The newest round from before the expiry.
    @return uint256 The settlement in USD per tonne x 1e18.
    """
    cover_book._accrue_to_now()
    assert cover_book._ending_sum[expiry] != 0, "price_cover: no policy ends"
    assert block.timestamp >= expiry, "price_cover: not expired"
    assert cover_book.settlements[expiry].price == 0, "price_cover: already fixed"
    price: uint256 = staticcall IFeedReader(feed_reader).settlement(
        price_feed, expiry - terms.window_seconds, expiry, last_round, terms.feed_max_age
    )
    owed: uint256 = 0
    paid: uint256 = 0
    owed, paid = cover_book._settle_day(expiry, price, _SCALE)
    log SettlementFixed(expiry=expiry, price=price, owed=owed, paid=paid)
    return price


@external
def settle(policy_id: uint256) -> uint256:
    """
    @notice Pays a policy whose settlement is fixed and below its strike. Anyone; the
            holder gets it.
    @param policy_id The number of the policy.
    @return uint256 The assets.
    """
    owed: uint256 = 0
    paid: uint256 = 0
    owed, paid = self._close(policy_id)
    assert owed != 0, "price_cover: nothing to pay"
    holder: address = cover_book.policies[policy_id].holder
    asset_token._push(asset, holder, paid)
    log CoverSettled(policy_id=policy_id, holder=holder, owed=owed, paid=paid)
    if paid < owed:
        log Shortfall(policy_id=policy_id, holder=holder, missing=owed - paid)
    return paid


@external
def expire(policy_id: uint256):
    """
    @notice Closes a policy whose settlement is fixed and not below its strike. Anyone.
    @param policy_id The number of the policy.
    """
    owed: uint256 = self._close(policy_id)[0]
    assert owed == 0, "price_cover: payout is due"
    log CoverExpired(policy_id=policy_id)


@external
def accrue():
    """
    @notice Books earned premiums, up to 365 days at once. Anyone.
    """
    cover_book._accrue()


@external
@view
def payout_of(policy_id: uint256) -> (uint256, uint256):
    """
    @notice Returns what a policy is due and what it is or was paid.
    @param policy_id The number of the policy.
    @return uint256 The assets due; zero while its settlement is not fixed.
    @return uint256 The assets paid.
    """
    policy: cover_book.Policy = cover_book.policies[policy_id]
    settlement: cover_book.Settlement = cover_book.settlements[policy.expiry]
    if settlement.price == 0:
        return 0, 0
    owed: uint256 = cover_book._payout(policy, settlement.price, _SCALE)
    return owed, cover_book._part(owed, settlement)


@external
@view
def unearned_premium() -> uint256:
    """
    @notice Returns the premiums that are paid in and not earned yet.
    @return uint256 The assets, a part of a unit rounded up.
    """
    return cover_book._unearned()


@external
@view
def capacity() -> uint256:
    """
    @notice Returns the greatest sum of sums insured: pool x leverage.
    @return uint256 The assets.
    """
    return self._capacity()


@external
@view
def utilisation() -> uint256:
    """
    @notice Returns the sums insured over the capacity.
    @return uint256 The share (1e18 = 100 %), zero for an empty pool.
    """
    return self._utilisation(cover_book.locked)


# --- Guardian --------------------------------------------------------------


@external
def pause():
    """
    @notice Stops deposits and sales; owner only. Settlement and withdrawals go on.
    """
    ownable._check_owner()
    assert not self.paused, "price_cover: already paused"
    self.paused = True
    log Paused()


@external
def unpause():
    """
    @notice Lets deposits and sales go on; owner only.
    """
    ownable._check_owner()
    assert self.paused, "price_cover: not paused"
    self.paused = False
    log Unpaused()


# --- Inside ------------------------------------------------------------------


@internal
@pure
def _check_terms(terms_: Terms):
    """
    @notice Refuses terms that no pool can have.
    @param terms_ The terms.
    """
    assert terms_.leverage >= _WAD, "price_cover: leverage below 1"
    assert terms_.leverage <= _MAX_LEVERAGE, "price_cover: leverage above 5"
    assert terms_.max_strike_share != 0, "price_cover: greatest strike is zero"
    assert terms_.max_strike_share <= _MAX_STRIKE_SHARE, "price_cover: greatest strike above 200 %"
    assert terms_.min_sum_insured != 0, "price_cover: least sum insured is zero"
    assert terms_.trigger_share <= _WAD, "price_cover: trigger above the strike"
    assert terms_.min_term_days != 0, "price_cover: shortest term is zero"
    assert terms_.min_term_days <= terms_.max_term_days, "price_cover: shortest term above the longest"
    assert terms_.max_term_days <= _MAX_DAYS, "price_cover: longest term above ten years"
    assert terms_.lag_days <= _MAX_DAYS, "price_cover: lag above ten years"
    assert terms_.window_seconds != 0, "price_cover: window is zero"
    assert terms_.window_seconds <= terms_.min_term_days * _DAY, "price_cover: window above the shortest term"
    assert terms_.cooldown_seconds <= _MAX_DAYS * _DAY, "price_cover: cooldown above ten years"
    assert terms_.claim_window_seconds <= _MAX_DAYS * _DAY, "price_cover: claim window above ten years"
    premium_curve._check(terms_.premium_floor, terms_.premium_slope, terms_.premium_ceiling)


@internal
@pure
def _refuse():
    """
    @notice Refuses to pay at once.
    """
    raise "price_cover: withdraw through a request"


@internal
@pure
def _check_requested(shares: uint256):
    """
    @notice Refuses a request for nothing.
    @param shares The shares requested.
    """
    assert shares != 0, "price_cover: nothing requested"


@internal
def _begin():
    """
    @notice Books earned premiums; refuses while a day that is over is not settled,
            because the pool's worth is not known then.
    """
    cover_book._accrue_to_now()
    assert cover_book.due_days == 0, "price_cover: settlement is due"


@internal
@view
def _check_open():
    """
    @notice Refuses deposits and sales while they are stopped.
    """
    assert not self.paused, "price_cover: paused"
    assert cover_book.triggered_sum == 0, "price_cover: triggered"


@internal
def _begin_entry():
    """
    @notice Refuses a deposit while none is taken, and gives assets that no share owns
            any more to shares that nobody holds.
    """
    self._begin()
    self._check_open()
    assert not self._is_ruined(), "price_cover: pool is ruined"
    leftover: uint256 = cover_book._total()
    if erc20.totalSupply == 0 and leftover != 0:
        erc20._mint(self, leftover)


@internal
def _enter(receiver: address, received: uint256, shares: uint256):
    """
    @notice Books a deposit.
    @param receiver The 20-byte address that gets the shares.
    @param received The amount that arrived.
    @param shares The shares to mint.
    """
    share_token._check_receiver(receiver)
    cover_book._add(received)
    assert cover_book._total() <= _MAX_ASSETS, "price_cover: pool is full"
    erc20._mint(receiver, shares)
    log IERC4626.Deposit(sender=msg.sender, owner=receiver, assets=received, shares=shares)


@internal
@view
def _known(policy_id: uint256) -> cover_book.Policy:
    """
    @notice Returns a policy that is neither unknown nor closed.
    @param policy_id The number of the policy.
    @return Policy The policy.
    """
    policy: cover_book.Policy = cover_book.policies[policy_id]
    assert policy.holder != empty(address), "price_cover: no such policy"
    assert not policy.is_closed, "price_cover: policy is closed"
    return policy


@internal
def _close(policy_id: uint256) -> (uint256, uint256):
    """
    @notice Closes a policy whose settlement is fixed.
    @param policy_id The number of the policy.
    @return uint256 What it is due.
    @return uint256 What it is to be paid.
    """
    policy: cover_book.Policy = self._known(policy_id)
    assert cover_book.settlements[policy.expiry].price != 0, "price_cover: not fixed"
    return cover_book._close(policy_id, _SCALE)


@internal
@view
def _latest() -> uint256:
    """
    @notice Returns the latest price; refuses one that is too old to sell on.
    @return uint256 The price in USD per tonne x 1e18.
    """
    return staticcall IFeedReader(feed_reader).latest(price_feed, terms.feed_max_age)


@internal
@view
def _standing(expiry: uint256) -> uint256:
    """
    @notice Returns where the settlement of a running policy stands: what it would be if
            the price stayed where it is now.
    @param expiry The time of expiry, Unix seconds, not in the past.
    @return uint256 The price in USD per tonne x 1e18, rounded down.
    """
    return staticcall IFeedReader(feed_reader).standing(price_feed, expiry - terms.window_seconds, expiry)


@internal
@view
def _trigger_price(strike: uint256) -> uint256:
    """
    @notice Returns the price below which a policy is triggered.
    @param strike The strike in USD per tonne x 1e18.
    @return uint256 The price in USD per tonne x 1e18, rounded down.
    """
    return strike * terms.trigger_share // _WAD


@internal
@view
def _sum_insured(amount: uint256, strike: uint256) -> uint256:
    """
    @notice Returns strike x tonnes, the most that a policy can pay.
    @param amount The tonnes x 1e18.
    @param strike The strike in USD per tonne x 1e18.
    @return uint256 The assets, rounded down.
    """
    return math._mul_div(amount, strike, _SCALE, False)


@internal
@view
def _premium_per_day(sum_insured: uint256) -> uint256:
    """
    @notice Returns the premium of a day of a cover bought now.
    @param sum_insured The sum insured.
    @return uint256 The assets, rounded up.
    """
    before: uint256 = self._utilisation(cover_book.locked)
    after: uint256 = self._utilisation(cover_book.locked + sum_insured)
    rate: uint256 = premium_curve._mean_rate(
        before, after, terms.premium_floor, terms.premium_slope, terms.premium_ceiling
    )
    return math._mul_div(sum_insured, rate, 365 * _WAD, True)


@internal
@view
def _capacity() -> uint256:
    """
    @notice Returns pool x leverage.
    @return uint256 The assets, rounded down.
    """
    return cover_book._total() * terms.leverage // _WAD


@internal
@view
def _utilisation(locked: uint256) -> uint256:
    """
    @notice Returns sums insured over capacity.
    @param locked The sums insured.
    @return uint256 The share (1e18 = 100 %), rounded down; zero for an empty pool.
    """
    capacity: uint256 = self._capacity()
    return 0 if capacity == 0 else math._mul_div(locked, _WAD, capacity, False)


@internal
@view
def _free() -> uint256:
    """
    @notice Returns the capital that no policy needs.
    @return uint256 The assets.
    """
    total: uint256 = cover_book._total()
    return total - min(total, math._mul_div(cover_book.locked, _WAD, terms.leverage, True))


@internal
@view
def _claimable(shares: uint256) -> (uint256, uint256):
    """
    @notice Returns what shares would be paid now, as if all triggered sums were lost.
    @param shares The shares.
    @return uint256 The assets, as far as free capital reaches.
    @return uint256 The shares that this burns.
    """
    total: uint256 = cover_book._total()
    certain: uint256 = total - min(total, cover_book.triggered_sum)
    assets: uint256 = share_math._to_assets(shares, certain, erc20.totalSupply, False)
    free: uint256 = self._free()
    if assets <= free:
        return assets, shares
    return free, min(shares, share_math._to_shares(free, certain, erc20.totalSupply, True))


@internal
@view
def _to_shares(assets: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the shares that `assets` are worth by the book.
    @param assets The assets.
    @param round_up Whether to round up instead of down.
    @return uint256 The shares.
    """
    return share_math._to_shares(assets, cover_book._total(), erc20.totalSupply, round_up)


@internal
@view
def _to_assets(shares: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the assets that `shares` are worth by the book.
    @param shares The shares.
    @param round_up Whether to round up instead of down.
    @return uint256 The assets.
    """
    return share_math._to_assets(shares, cover_book._total(), erc20.totalSupply, round_up)


@internal
@view
def _is_ruined() -> bool:
    """
    @notice Returns whether payouts have left the shares next to nothing.
    @return bool Whether a share is worth less than a millionth of a unit.
    """
    return cover_book._total() * _RUIN < erc20.totalSupply


@internal
@view
def _deposit_limit(receiver: address) -> uint256:
    """
    @notice Returns the most that a deposit may be.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The assets; zero while none is taken, and for the pool itself.
    """
    clock: cover_book.Clock = cover_book._clock()
    if receiver == self or self.paused or clock.due_days != 0 or clock.time != block.timestamp:
        return 0
    if cover_book.triggered_sum != 0 or self._is_ruined() or asset_token._is_stopped(asset, self):
        return 0
    total: uint256 = cover_book._total()
    return _MAX_ASSETS - min(_MAX_ASSETS, total)

