# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Pool of a Gold Token and a Dollar Token
@custom:contract-name gold_pool
@license GNU Affero General Public License v3.0 only
@notice A constant-product pool: whoever pays one token in gets so much of the other
        that the product of the reserves does not fall. Names, events and formulas are
        those of Uniswap V2, with the pair and what its router does for it in one
        contract: a call takes the tokens itself, so that nothing lies here between two
        transactions for somebody else to take.
@dev Reserves are counted inside, so that a donation changes no price; as at the
     original `sync` takes the balances for the reserves, and `skim` hands out what is
     beyond them. A token may keep a fee of a transfer: what arrives is what counts. Of
     the first liquidity `MINIMUM_LIQUIDITY` is locked for ever, so that raising the
     worth of a share costs who tries a thousand times what he takes from others.
     Amounts are in each token's smallest unit; fees in parts per million
     (1_000_000 = 100 %). Everything rounds in favour of the pool.
"""


from ethereum.ercs import IERC20
implements: IERC20


from ethereum.ercs import IERC20Detailed
implements: IERC20Detailed


from snekmate.tokens.interfaces import IERC20Permit
implements: IERC20Permit


from snekmate.utils.interfaces import IERC5267
implements: IERC5267


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from snekmate.utils import math


from .modules import asset_token


from .modules import share_token
initializes: share_token[erc20 := erc20]


exports: (
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
)


# @dev Shares of the first liquidity that nobody gets.
MINIMUM_LIQUIDITY: public(constant(uint256)) = 1_000


# @dev Holds them. Nobody has its key; the token module mints none to the zero address.
_NOBODY: constant(address) = 0x000000000000000000000000000000000000dEaD


# @dev 100 % of a trade.
_FEE_PARTS: constant(uint256) = 1_000_000


# @dev The greatest fee, 10 %.
_MAX_FEE: constant(uint256) = 100_000


# @dev Decimals of the shares, whatever those of the tokens, as at the original.
_DECIMALS: constant(uint8) = 18


# @dev The gold token.
token0: public(immutable(address))


# @dev The dollar token.
token1: public(immutable(address))


# @dev What a trade leaves in the pool, of what is paid in (1_000_000 = 100 %).
fee_ppm: public(immutable(uint256))


# @dev The reserves, and when they last changed.
_reserve0: uint112
_reserve1: uint112
_changed_at: uint32


event Mint:
    sender: indexed(address)
    amount0: uint256
    amount1: uint256


event Burn:
    sender: indexed(address)
    amount0: uint256
    amount1: uint256
    to: indexed(address)


event Swap:
    sender: indexed(address)
    amount0In: uint256
    amount1In: uint256
    amount0Out: uint256
    amount1Out: uint256
    to: indexed(address)


event Sync:
    reserve0: uint112
    reserve1: uint112


@deploy
def __init__(name_: String[25], symbol_: String[5], token0_: address, token1_: address, fee_ppm_: uint256):
    """
    @notice Deploys an empty pool; nobody owns it, and nothing of it can be changed.
    @param name_ The name of the shares, up to 25 characters.
    @param symbol_ The symbol of the shares, up to 5 characters.
    @param token0_ The 20-byte address of the gold token.
    @param token1_ The 20-byte address of the dollar token.
    @param fee_ppm_ The fee of a trade (1_000_000 = 100 %), at most 10 %.
    """
    assert token0_ != empty(address), "gold_pool: gold is the zero address"
    assert token1_ != empty(address), "gold_pool: dollar is the zero address"
    assert token0_ != token1_, "gold_pool: both tokens are one"
    assert fee_ppm_ <= _MAX_FEE, "gold_pool: fee above 10 %"

    # The token module needs an owner at creation; none of its rights is exported.
    ownable.__init__()
    erc20.__init__(name_, symbol_, _DECIMALS, name_, "1")
    token0 = token0_
    token1 = token1_
    fee_ppm = fee_ppm_


# --- Liquidity ---------------------------------------------------------------


@external
def addLiquidity(
    amount0Desired: uint256,
    amount1Desired: uint256,
    amount0Min: uint256,
    amount1Min: uint256,
    to: address,
    deadline: uint256,
) -> (uint256, uint256, uint256):
    """
    @notice Takes both tokens in the ratio of the reserves, or in any where there are
            none, for new shares.
    @param amount0Desired The most gold that leaves the caller.
    @param amount1Desired The most dollars that leave the caller.
    @param amount0Min The least gold that must arrive.
    @param amount1Min The least dollars that must arrive.
    @param to The 20-byte address that gets the shares.
    @param deadline The last second, Unix time, in which this may happen.
    @return uint256 The gold that arrived.
    @return uint256 The dollars that arrived.
    @return uint256 The shares, rounded down.
    """
    self._check_time(deadline)
    share_token._check_receiver(to)
    reserve0: uint256 = convert(self._reserve0, uint256)
    reserve1: uint256 = convert(self._reserve1, uint256)
    supply: uint256 = erc20.totalSupply
    amount0: uint256 = 0
    amount1: uint256 = 0
    shares: uint256 = 0
    if supply == 0:
        amount0 = asset_token._pull(token0, msg.sender, amount0Desired)
        amount1 = asset_token._pull(token1, msg.sender, amount1Desired)
        shares = self._first_shares(amount0, amount1)
        erc20._mint(_NOBODY, MINIMUM_LIQUIDITY)
    else:
        assert reserve0 != 0 and reserve1 != 0, "gold_pool: a reserve is empty"
        gold: uint256 = self._fitting_gold(amount0Desired, amount1Desired, reserve0, reserve1)
        amount0 = asset_token._pull(token0, msg.sender, gold)
        dollars: uint256 = min(amount1Desired, math._mul_div(amount0, reserve1, reserve0, True))
        amount1 = asset_token._pull(token1, msg.sender, dollars)
        shares = min(
            math._mul_div(amount0, supply, reserve0, False), math._mul_div(amount1, supply, reserve1, False)
        )
    assert shares != 0, "gold_pool: too little for a share"
    assert amount0 >= amount0Min, "gold_pool: too little gold"
    assert amount1 >= amount1Min, "gold_pool: too few dollars"
    erc20._mint(to, shares)
    self._update(reserve0 + amount0, reserve1 + amount1)
    log Mint(sender=msg.sender, amount0=amount0, amount1=amount1)
    return amount0, amount1, shares


@external
def removeLiquidity(
    liquidity: uint256, amount0Min: uint256, amount1Min: uint256, to: address, deadline: uint256
) -> (uint256, uint256):
    """
    @notice Burns shares of the caller and pays their part of both reserves.
    @param liquidity The shares.
    @param amount0Min The least gold that must leave the pool.
    @param amount1Min The least dollars that must leave the pool.
    @param to The 20-byte address that gets both tokens.
    @param deadline The last second, Unix time, in which this may happen.
    @return uint256 The gold that leaves the pool, rounded down.
    @return uint256 The dollars that leave the pool, rounded down.
    """
    self._check_time(deadline)
    reserve0: uint256 = convert(self._reserve0, uint256)
    reserve1: uint256 = convert(self._reserve1, uint256)
    supply: uint256 = erc20.totalSupply
    assert liquidity <= erc20.balanceOf[msg.sender], "gold_pool: exceeds the shares"
    assert supply != 0, "gold_pool: there is no share"
    amount0: uint256 = math._mul_div(liquidity, reserve0, supply, False)
    amount1: uint256 = math._mul_div(liquidity, reserve1, supply, False)
    assert amount0 != 0 and amount1 != 0, "gold_pool: too few shares"
    assert amount0 >= amount0Min, "gold_pool: too little gold"
    assert amount1 >= amount1Min, "gold_pool: too few dollars"
    erc20._burn(msg.sender, liquidity)
    self._update(reserve0 - amount0, reserve1 - amount1)
    asset_token._push(token0, to, amount0)
    asset_token._push(token1, to, amount1)
    log Burn(sender=msg.sender, amount0=amount0, amount1=amount1, to=to)
    return amount0, amount1


# --- Trades ------------------------------------------------------------------


@external
def swapExactTokensForTokens(
    amountIn: uint256, amountOutMin: uint256, path: DynArray[address, 2], to: address, deadline: uint256
) -> DynArray[uint256, 2]:
    """
    @notice Takes one token and pays the other.
    @param amountIn What leaves the caller.
    @param amountOutMin The least that must leave the pool.
    @param path The token that is paid in, and the one that is paid out.
    @param to The 20-byte address that gets it.
    @param deadline The last second, Unix time, in which this may happen.
    @return DynArray[uint256, 2] What arrived, and what leaves the pool.
    """
    self._check_time(deadline)
    assert len(path) == 2, "gold_pool: path is not two tokens"
    is_gold: bool = path[0] == token0 and path[1] == token1
    assert is_gold or (path[0] == token1 and path[1] == token0), "gold_pool: token is not of the pool"
    reserve0: uint256 = convert(self._reserve0, uint256)
    reserve1: uint256 = convert(self._reserve1, uint256)
    paid: uint256 = asset_token._pull(path[0], msg.sender, amountIn)
    if is_gold:
        bought: uint256 = self._amount_out(paid, reserve0, reserve1)
        self._check_bought(bought, amountOutMin)
        self._update(reserve0 + paid, reserve1 - bought)
        asset_token._push(token1, to, bought)
        log Swap(sender=msg.sender, amount0In=paid, amount1In=0, amount0Out=0, amount1Out=bought, to=to)
        return [paid, bought]
    bought: uint256 = self._amount_out(paid, reserve1, reserve0)
    self._check_bought(bought, amountOutMin)
    self._update(reserve0 - bought, reserve1 + paid)
    asset_token._push(token0, to, bought)
    log Swap(sender=msg.sender, amount0In=0, amount1In=paid, amount0Out=bought, amount1Out=0, to=to)
    return [paid, bought]


# --- Balances beside the reserves --------------------------------------------


@external
def skim(to: address):
    """
    @notice Sends what is here beyond the reserves, such as a donation; anybody may.
    @param to The 20-byte address that gets it.
    """
    excess0: uint256 = self._excess(token0, convert(self._reserve0, uint256))
    excess1: uint256 = self._excess(token1, convert(self._reserve1, uint256))
    asset_token._push(token0, to, excess0)
    asset_token._push(token1, to, excess1)


@external
def sync():
    """
    @notice Takes the balances for the reserves; anybody may. A donation becomes the
            shares', and what an issuer has burnt here is their loss.
    """
    self._update(staticcall IERC20(token0).balanceOf(self), staticcall IERC20(token1).balanceOf(self))


# --- Views -------------------------------------------------------------------


@external
@view
def getReserves() -> (uint112, uint112, uint32):
    """
    @notice Returns the reserves.
    @return uint112 The gold.
    @return uint112 The dollars.
    @return uint32 When they last changed, Unix time modulo 2**32.
    """
    return self._reserve0, self._reserve1, self._changed_at


@external
@view
def getAmountOut(amountIn: uint256, reserveIn: uint256, reserveOut: uint256) -> uint256:
    """
    @notice Returns what a trade pays against given reserves.
    @param amountIn What arrives.
    @param reserveIn The reserve of the token that is paid in.
    @param reserveOut The reserve of the other one.
    @return uint256 What is paid out, rounded down.
    """
    return self._amount_out(amountIn, reserveIn, reserveOut)


# --- Inside ------------------------------------------------------------------


@internal
@view
def _amount_out(paid: uint256, reserve_in: uint256, reserve_out: uint256) -> uint256:
    """
    @notice Returns what a trade pays: with the fee taken off what is paid in, the
            product of the reserves stays.
    @param paid What arrives.
    @param reserve_in The reserve of the token that is paid in.
    @param reserve_out The reserve of the other one.
    @return uint256 What is paid out, rounded down.
    """
    assert paid != 0, "gold_pool: nothing is paid in"
    assert reserve_in != 0 and reserve_out != 0, "gold_pool: a reserve is empty"
    # The fee taken off stays multiplied: divided at once it would be rounded twice.
    at_work: uint256 = paid * (_FEE_PARTS - fee_ppm)
    return math._mul_div(at_work, reserve_out, reserve_in * _FEE_PARTS + at_work, False)


@internal
@view
def _fitting_gold(gold: uint256, dollars: uint256, reserve0: uint256, reserve1: uint256) -> uint256:
    """
    @notice Returns the gold to take so that the dollars beside it suffice.
    @param gold The most gold that leaves the owner.
    @param dollars The most dollars that leave the owner, which take no fee.
    @param reserve0 The reserve of gold, above zero.
    @param reserve1 The reserve of dollars, above zero.
    @return uint256 The gold that leaves the owner.
    """
    beside: uint256 = math._mul_div(dollars, reserve0, reserve1, False)
    return min(gold, asset_token._gross(token0, beside))


@internal
@pure
def _first_shares(amount0: uint256, amount1: uint256) -> uint256:
    """
    @notice Returns the shares of the first liquidity: the root of the product, less
            what is locked.
    @param amount0 The gold.
    @param amount1 The dollars.
    @return uint256 The shares.
    """
    assert max(amount0, amount1) <= convert(max_value(uint112), uint256), "gold_pool: reserve above 112 bits"
    root: uint256 = isqrt(amount0 * amount1)
    assert root > MINIMUM_LIQUIDITY, "gold_pool: too little for the first shares"
    return root - MINIMUM_LIQUIDITY


@internal
@view
def _excess(token: address, reserve: uint256) -> uint256:
    """
    @notice Returns what is here of a token beyond its reserve.
    @param token The 20-byte address of the token.
    @param reserve Its reserve.
    @return uint256 The excess, zero where something is missing.
    """
    balance: uint256 = staticcall IERC20(token).balanceOf(self)
    return balance - min(balance, reserve)


@internal
def _update(reserve0: uint256, reserve1: uint256):
    """
    @notice Sets the reserves.
    @param reserve0 The gold.
    @param reserve1 The dollars.
    """
    assert max(reserve0, reserve1) <= convert(max_value(uint112), uint256), "gold_pool: reserve above 112 bits"
    self._reserve0 = convert(reserve0, uint112)
    self._reserve1 = convert(reserve1, uint112)
    self._changed_at = convert(block.timestamp % 2 ** 32, uint32)
    log Sync(reserve0=self._reserve0, reserve1=self._reserve1)


@internal
@view
def _check_time(deadline: uint256):
    """
    @notice Refuses what comes too late.
    @param deadline The last second in which it may happen.
    """
    assert block.timestamp <= deadline, "gold_pool: too late"


@internal
@pure
def _check_bought(bought: uint256, least: uint256):
    """
    @notice Refuses a trade that pays nothing, or less than was asked for.
    @param bought What it pays.
    @param least The least that it must pay.
    """
    assert bought != 0, "gold_pool: nothing is paid out"
    assert bought >= least, "gold_pool: too little is paid out"
