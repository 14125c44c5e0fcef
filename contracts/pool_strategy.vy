# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Strategy that provides Liquidity to a Gold Pool
@custom:contract-name pool_strategy
@license GNU Affero General Public License v3.0 only
@notice A strategy of `gold_vault`, with the calls of ERC-4626 that a vault makes. Gold that
        comes in is sold in part to the pool, the rest is added with the dollars it brought;
        gold that goes out comes from removed liquidity, whose dollars buy gold of the pool.
        Both cost the pool's fee and move its price: what that costs is the vault's loss.
@dev A share is one of the pool's. It is valued as if the pool stood at a feed's price,
     2 sqrt(x y / price) over all shares: no trade within the pool changes that but for its
     fee, so nobody moves it by trading. While the pool is further off the feed than
     `max_gap_ppm` nothing goes in or out: whoever moves the price around a deposit would
     else be paid by it. Only the vault may deposit, so no other share exists and none can be
     transferred. Both tokens are counted inside: a donation changes nothing. Rounding leaves
     a little of them here, which goes along with the next deposit or withdrawal.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed


from snekmate.utils import math


from .interfaces import IGoldPool


from .modules import asset_token
from .modules import feed


# @dev 100 % of a trade, and of the feed's price.
_PARTS: constant(uint256) = 1_000_000


# @dev Scale of parts of the pool.
_WAD: constant(uint256) = 10 ** 18


# @dev From parts per million to that scale.
_PART_SCALE: constant(uint256) = 10 ** 12


# @dev Decimals of the dollar token, and of the feed's readings.
_DOLLAR_DECIMALS: constant(uint256) = 6
_PRICE_DECIMALS: constant(uint256) = 18


# @dev The gold token.
asset: public(immutable(address))


# @dev The dollar token.
dollar: public(immutable(address))


# @dev Where the liquidity is.
pool: public(immutable(address))


# @dev The only account that may deposit.
vault: public(immutable(address))


# @dev Price of a whole gold token in dollar tokens.
price_feed: public(immutable(address))


# @dev The greatest age in seconds of an answer that still counts.
feed_max_age: public(immutable(uint256))


# @dev How far the pool may stand off the feed (1_000_000 = 100 %).
max_gap_ppm: public(immutable(uint256))


# @dev From dollars over a price to gold, both in their units.
_SCALE: immutable(uint256)


# @dev All shares, the pool's.
totalSupply: public(uint256)


# @dev Shares of an account.
balanceOf: public(HashMap[address, uint256])


# @dev What rounding left here.
idle_gold: public(uint256)
idle_dollars: public(uint256)


event Deposit:
    sender: indexed(address)
    owner: indexed(address)
    assets: uint256
    shares: uint256


event Withdraw:
    sender: indexed(address)
    receiver: indexed(address)
    owner: indexed(address)
    assets: uint256
    shares: uint256


@deploy
def __init__(pool_: address, vault_: address, price_feed_: address, feed_max_age_: uint256, max_gap_ppm_: uint256):
    """
    @notice Deploys a strategy without liquidity.
    @param pool_ The 20-byte address of the pool (`gold_pool`).
    @param vault_ The 20-byte address that may deposit.
    @param price_feed_ The 20-byte address of the price of gold in dollar tokens.
    @param feed_max_age_ The greatest age of an answer while its market trades, seconds.
    @param max_gap_ppm_ How far the pool may stand off the feed (1_000_000 = 100 %), above
           its fee.
    """
    assert vault_ != empty(address), "pool_strategy: vault is the zero address"
    assert price_feed_ != empty(address), "pool_strategy: feed is the zero address"
    assert max_gap_ppm_ > staticcall IGoldPool(pool_).fee_ppm(), "pool_strategy: gap is within the fee"
    assert max_gap_ppm_ < _PARTS, "pool_strategy: gap is the whole price"
    pool = pool_
    vault = vault_
    price_feed = price_feed_
    feed_max_age = feed_max_age_
    max_gap_ppm = max_gap_ppm_
    asset = staticcall IGoldPool(pool_).token0()
    dollar = staticcall IGoldPool(pool_).token1()
    dollar_decimals: uint256 = convert(staticcall IERC20Detailed(dollar).decimals(), uint256)
    assert dollar_decimals == _DOLLAR_DECIMALS, "pool_strategy: dollar has no 6 decimals"
    decimals: uint256 = convert(staticcall IERC20Detailed(asset).decimals(), uint256)
    _SCALE = 10 ** (decimals + _PRICE_DECIMALS - _DOLLAR_DECIMALS)
    assert extcall IERC20(asset).approve(pool_, max_value(uint256), default_return_value=True), "pool_strategy: approval failed"
    assert extcall IERC20(dollar).approve(pool_, max_value(uint256), default_return_value=True), "pool_strategy: approval failed"


@external
@nonreentrant
def deposit(assets: uint256, receiver: address) -> uint256:
    """
    @notice Takes gold from the vault and adds it to the pool; vault only.
    @param assets The amount that leaves the vault.
    @param receiver The 20-byte address that gets the shares.
    @return uint256 The new shares: those that the pool gives.
    """
    assert msg.sender == vault, "pool_strategy: caller is not the vault"
    assert self._is_at_the_feed(), "pool_strategy: pool is off the feed"
    received: uint256 = asset_token._pull(asset, msg.sender, assets)
    gold: uint256 = received + self.idle_gold
    before: uint256 = staticcall IERC20(asset).balanceOf(self)
    sold: uint256 = self._sold_of(gold)
    dollars: uint256 = self.idle_dollars + self._swap(sold, asset, dollar)
    used: uint256 = 0
    shares: uint256 = 0
    gold_used: uint256 = 0
    gold_used, used, shares = extcall IGoldPool(pool).addLiquidity(gold - sold, dollars, 0, 0, self, block.timestamp)
    # The pool says what arrived; what left is what is no longer here.
    self.idle_gold = gold - (before - staticcall IERC20(asset).balanceOf(self))
    self.idle_dollars = dollars - used
    self.totalSupply += shares
    self.balanceOf[receiver] += shares
    log Deposit(sender=msg.sender, owner=receiver, assets=received, shares=shares)
    return shares


@external
@nonreentrant
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Pays gold out and burns the shares that it takes; owner only.
    @param assets The amount that is sent.
    @param receiver The 20-byte address that gets it.
    @param owner The 20-byte address whose shares are burnt: the caller.
    @return uint256 The burnt shares.
    """
    assert msg.sender == owner, "pool_strategy: caller is not the owner"
    assert assets <= self._payable_for(self.balanceOf[owner]), "pool_strategy: exceeds withdrawable"
    shares: uint256 = self._shares_for(assets, self.balanceOf[owner])
    self._burn(shares, owner)
    assert self.idle_gold >= assets, "pool_strategy: too little gold"
    self.idle_gold -= assets
    asset_token._push(asset, receiver, assets)
    log Withdraw(sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares)
    return shares


@external
@view
def totalAssets() -> uint256:
    """
    @notice Returns what all shares are worth in gold.
    @return uint256 The assets.
    """
    return self._worth(self.totalSupply)


@external
@view
def convertToAssets(shares: uint256) -> uint256:
    """
    @notice Returns what shares are worth in gold, at the feed's price.
    @param shares The shares.
    @return uint256 The assets, rounded down.
    """
    return self._worth(shares)


@external
@view
def maxDeposit(receiver: address) -> uint256:
    """
    @notice Returns how much may be deposited: anything for the vault while the pool is at
            the feed, nothing for others.
    @param receiver The 20-byte address that would get the shares.
    @return uint256 The assets.
    """
    if receiver != vault or not self._is_at_the_feed():
        return 0
    return max_value(uint256)


@external
@view
def maxWithdraw(owner: address) -> uint256:
    """
    @notice Returns the gold that all shares of `owner` bring now.
    @param owner The 20-byte address of the holder.
    @return uint256 The assets, nothing while the pool is off the feed.
    """
    return self._payable_for(self.balanceOf[owner])


# --- Inside ------------------------------------------------------------------


@internal
@view
def _reserves() -> (uint256, uint256):
    """
    @notice Returns the pool's reserves.
    @return uint256 The gold.
    @return uint256 The dollars.
    """
    gold: uint112 = 0
    dollars: uint112 = 0
    changed_at: uint32 = 0
    gold, dollars, changed_at = staticcall IGoldPool(pool).getReserves()
    return convert(gold, uint256), convert(dollars, uint256)


@internal
@view
def _is_at_the_feed() -> bool:
    """
    @notice Returns whether the pool's price is near enough to the feed's.
    @return bool Whether its dollars are worth its gold, within the gap.
    """
    gold: uint256 = 0
    dollars: uint256 = 0
    gold, dollars = self._reserves()
    counted: uint256 = math._mul_div(dollars, _SCALE, feed._read(price_feed, feed_max_age), False)
    gap: uint256 = max(gold, counted) - min(gold, counted)
    return gold != 0 and gap * _PARTS <= gold * max_gap_ppm


@internal
@view
def _worth(shares: uint256) -> uint256:
    """
    @notice Returns what shares are worth in gold, as if the pool stood at the feed's price.
    @param shares The shares.
    @return uint256 The assets, rounded down.
    """
    if shares == 0:
        return 0
    gold: uint256 = 0
    dollars: uint256 = 0
    gold, dollars = self._reserves()
    price: uint256 = feed._read(price_feed, feed_max_age)
    root: uint256 = isqrt(math._mul_div(gold * dollars, _SCALE, price, False))
    value: uint256 = math._mul_div(2 * root, shares, staticcall IGoldPool(pool).totalSupply(), False)
    return value + math._mul_div(self.idle_gold, shares, self.totalSupply, False)


@internal
@view
def _payable_for(shares: uint256) -> uint256:
    """
    @notice Returns the gold that shares bring if they are all removed now.
    @param shares The shares.
    @return uint256 The gold, nothing while the pool is off the feed.
    """
    if shares == 0 or not self._is_at_the_feed():
        return 0
    gold: uint256 = 0
    dollars: uint256 = 0
    gold, dollars = self._reserves()
    supply: uint256 = staticcall IGoldPool(pool).totalSupply()
    own_gold: uint256 = math._mul_div(shares, gold, supply, False)
    own_dollars: uint256 = math._mul_div(shares, dollars, supply, False)
    if own_gold == 0 or own_dollars == 0:
        return 0
    bought: uint256 = staticcall IGoldPool(pool).getAmountOut(own_dollars, dollars - own_dollars, gold - own_gold)
    arrives: uint256 = asset_token._net(asset, own_gold) + asset_token._net(asset, bought)
    return arrives + math._mul_div(self.idle_gold, shares, self.totalSupply, False)


@internal
@view
def _sold_of(gold: uint256) -> uint256:
    """
    @notice Returns what to sell of gold, so that what it brings fits the rest of it.
    @dev s = 2 x a / (x (1 + g) + sqrt(x^2 (1 + g)^2 + 4 g x a)), g one less the fee.
    @param gold The gold.
    @return uint256 What to sell, rounded down.
    """
    reserve: uint256 = 0
    dollars: uint256 = 0
    reserve, dollars = self._reserves()
    keep: uint256 = _PARTS - staticcall IGoldPool(pool).fee_ppm()
    base: uint256 = reserve * (_PARTS + keep)
    root: uint256 = isqrt(base * base + 4 * keep * _PARTS * reserve * gold)
    return math._mul_div(2 * reserve * _PARTS, gold, base + root, False)


@internal
@view
def _shares_for(assets: uint256, most: uint256) -> uint256:
    """
    @notice Returns the shares to remove so that gold enough comes out.
    @dev The part q of the pool with q^2 - (1 + g + f A) q + A = 0, where A is the gold over
         the reserve; two units of dollars more, which rounding may take on the way, and
         the token's fee.
    @param assets The gold.
    @param most The shares there are.
    @return uint256 The shares, rounded up.
    """
    reserve: uint256 = 0
    dollars: uint256 = 0
    reserve, dollars = self._reserves()
    fee: uint256 = staticcall IGoldPool(pool).fee_ppm()
    arrives: uint256 = assets - min(assets, self.idle_gold) + 2 * (reserve // dollars + 1)
    needed: uint256 = asset_token._gross(asset, arrives)
    wanted: uint256 = math._mul_div(needed, _WAD, reserve, True)
    middle: uint256 = (2 * _PARTS - fee) * _PART_SCALE + fee * wanted // _PARTS
    square: uint256 = middle * middle
    root: uint256 = isqrt(square - min(square, 4 * _WAD * wanted))
    part: uint256 = math._mul_div(2 * wanted, _WAD, middle + root, True)
    shares: uint256 = math._mul_div(part, staticcall IGoldPool(pool).totalSupply(), _WAD, True)
    return min(shares, most)


@internal
def _burn(shares: uint256, owner: address):
    """
    @notice Removes liquidity and buys gold for its dollars.
    @param shares The shares.
    @param owner The 20-byte address that they are burnt from.
    """
    self.totalSupply -= shares
    self.balanceOf[owner] -= shares
    before: uint256 = staticcall IERC20(asset).balanceOf(self)
    gold: uint256 = 0
    dollars: uint256 = 0
    gold, dollars = extcall IGoldPool(pool).removeLiquidity(shares, 0, 0, self, block.timestamp)
    self._swap(dollars + self.idle_dollars, dollar, asset)
    self.idle_dollars = 0
    self.idle_gold += staticcall IERC20(asset).balanceOf(self) - before


@internal
def _swap(paid: uint256, token_in: address, token_out: address) -> uint256:
    """
    @notice Trades with the pool, which has been found to be at the feed.
    @param paid What leaves this contract.
    @param token_in The 20-byte address of the token that is paid in.
    @param token_out The 20-byte address of the other one.
    @return uint256 What leaves the pool.
    """
    path: DynArray[address, 2] = [token_in, token_out]
    amounts: DynArray[uint256, 2] = extcall IGoldPool(pool).swapExactTokensForTokens(
        paid, 0, path, self, block.timestamp
    )
    return amounts[1]
