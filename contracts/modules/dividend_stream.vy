# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Stream of Funds to the Holders of a Token
@custom:contract-name dividend_stream
@license GNU Affero General Public License v3.0 only
@notice Each payment flows evenly over `stream_seconds` from its block on, beside those
        that flow already, and every second's part belongs to those who hold at that
        second: who buys just before a payment and sells after it earns his holding
        time's share and no more. Names and events are those of ERC-2222.
@dev Funds are counted in units x 2**128 ("magnified"), so that all is exact integers:

         per token  += flow // supply,  the rest of the division is carried
         claim of a holder = per token * balance + correction      (magnified)

     A correction keeps a claim as it is when the balance changes. The claims, what
     still flows and what is carried add up to all payments to the last bit; only
     the view of a claim rounds, down, below one unit for each holder.
     The importing token must call `_accrue` and then a correction on EVERY path that
     changes a balance, before it changes.
     Bounds: payments sum to at most 1e19 units and supply is at most 1e36, and nothing
     flows to a supply below 1e18, so that per token * balance stays below 2**252.
"""


from ethereum.ercs import IERC20


from . import asset_token


struct Stream:
    rate: uint256
    end: uint256


# @dev Scale of the magnified funds.
_MAGNITUDE_BITS: constant(uint256) = 128
_MAGNITUDE: constant(uint256) = 2**128


# @dev With less supply than this (one token) what flows is carried.
_MIN_SUPPLY: constant(uint256) = 10**18


# @dev The greatest supply of the importing token, in token wei.
_MAX_SUPPLY: constant(uint256) = 10**36


# @dev Upper bound of all payments together, in units of the funds token.
_MAX_FUNDS: constant(uint256) = 10**19


# @dev Upper bound of payments that flow at once: what one call may have to end.
_MAX_STREAMS: constant(uint256) = 32


# @dev The token in which funds are paid.
funds_token: public(immutable(address))


# @dev How long a payment flows, in seconds.
stream_seconds: public(immutable(uint256))


# @dev All payments so far, in units of the funds token.
total_distributed: public(uint256)


# @dev What a holder has taken out, in units of the funds token.
withdrawnFundsOf: public(HashMap[address, uint256])


# @dev All payments by their number. They flow equally long, so they end in their order:
# those before `_first` have ended, those from `_next` on do not exist.
_streams: HashMap[uint256, Stream]
_first: uint256
_next: uint256


# @dev Flow of all running payments, magnified units per second.
_rate: uint256


# @dev Up to when the flow is credited, Unix seconds.
_updated: uint256


# @dev Credited funds of one token wei since deployment, magnified.
_per_token: uint256


# @dev What flowed to nobody and what divisions left, magnified; joins the next payment.
_carried: uint256


# @dev What a holder's claim differs from per token * balance, magnified.
_corrections: HashMap[address, int256]


event FundsDistributed:
    by: indexed(address)
    fundsDistributed: uint256


event FundsWithdrawn:
    by: indexed(address)
    fundsWithdrawn: uint256


@deploy
def __init__(funds_token_: address, stream_seconds_: uint256):
    """
    @notice Starts without any payment.
    @param funds_token_ The 20-byte address of the token in which funds are paid.
    @param stream_seconds_ How long a payment flows, in seconds, above zero.
    """
    assert funds_token_ != empty(address), "dividend_stream: funds token is the zero address"
    assert stream_seconds_ != 0, "dividend_stream: stream of no length"
    funds_token = funds_token_
    stream_seconds = stream_seconds_


@external
@view
def flow_per_second() -> uint256:
    """
    @notice Returns what all holders together earn now.
    @return uint256 Units of the funds token per second x 2**128.
    """
    flowed: uint256 = 0
    rate: uint256 = 0
    first: uint256 = 0
    flowed, rate, first = self._flow()
    return rate


@internal
def _accrue(supply: uint256):
    """
    @notice Credits what has flowed until now to the present supply.
    @dev Must run before a balance, the supply or the flow changes.
    @param supply The supply that has held since the last call, in token wei.
    """
    if self._rate == 0 or self._updated == block.timestamp:
        return
    flowed: uint256 = 0
    flowed, self._rate, self._first = self._flow()
    self._per_token, self._carried = self._credited(flowed, supply)
    self._updated = block.timestamp


@internal
def _pay_in(amount: uint256, supply: uint256) -> uint256:
    """
    @notice Takes a payment from the caller and lets it flow from now on, together with
            what was carried.
    @dev What dividing by the time leaves is carried again: less than 2**-96 units.
    @param amount The payment, in units of the funds token; zero to restart what was carried.
    @param supply The present supply, in token wei.
    @return uint256 What arrived, in units of the funds token.
    """
    self._accrue(supply)
    received: uint256 = 0
    if amount != 0:
        received = asset_token._pull(funds_token, msg.sender, amount)
    total: uint256 = self.total_distributed + received
    assert total <= _MAX_FUNDS, "dividend_stream: payments are too large"
    assert self._next - self._first < _MAX_STREAMS, "dividend_stream: too many payments flow"

    pot: uint256 = received * _MAGNITUDE + self._carried
    assert pot >= _MAGNITUDE, "dividend_stream: nothing to distribute"
    rate: uint256 = pot // stream_seconds
    self.total_distributed = total
    self._carried = pot % stream_seconds
    self._streams[self._next] = Stream(rate=rate, end=block.timestamp + stream_seconds)
    self._next += 1
    self._rate += rate
    self._updated = block.timestamp
    log FundsDistributed(by=msg.sender, fundsDistributed=received)
    return received


@internal
def _withdraw(account: address, balance: uint256, supply: uint256):
    """
    @notice Pays a holder all he can claim; nothing where there is nothing.
    @param account The 20-byte address of the holder.
    @param balance His balance, in token wei.
    @param supply The present supply, in token wei.
    """
    self._accrue(supply)
    amount: uint256 = self._accumulative(account, balance, self._per_token) - self.withdrawnFundsOf[account]
    if amount == 0:
        return
    self.withdrawnFundsOf[account] += amount
    asset_token._push(funds_token, account, amount)
    log FundsWithdrawn(by=account, fundsWithdrawn=amount)


@internal
def _correct_transfer(sender: address, receiver: address, amount: uint256):
    """
    @notice Keeps both claims as they are while `amount` moves.
    @param sender The 20-byte address that loses the tokens.
    @param receiver The 20-byte address that gets them.
    @param amount Token wei.
    """
    moved: int256 = convert(self._per_token * amount, int256)
    self._corrections[sender] += moved
    self._corrections[receiver] -= moved


@internal
def _correct_mint(receiver: address, amount: uint256, supply: uint256):
    """
    @notice Keeps the receiver's claim as it is while `amount` is created.
    @param receiver The 20-byte address that gets the tokens.
    @param amount Token wei.
    @param supply The supply before, in token wei.
    """
    assert supply + amount <= _MAX_SUPPLY, "dividend_stream: supply is too large"
    self._corrections[receiver] -= convert(self._per_token * amount, int256)


@internal
def _correct_burn(sender: address, amount: uint256):
    """
    @notice Keeps the sender's claim as it is while `amount` is destroyed.
    @param sender The 20-byte address that loses the tokens.
    @param amount Token wei.
    """
    self._corrections[sender] += convert(self._per_token * amount, int256)


@internal
def _move_claim(old: address, new: address, balance: uint256):
    """
    @notice Hands on what one wallet can claim to another, fractions of a unit included.
    @dev Runs before the balance itself moves with its own correction.
    @param old The 20-byte address that loses its claim.
    @param new The 20-byte address that gets it.
    @param balance The balance of `old`, in token wei.
    """
    withdrawn: int256 = convert(self.withdrawnFundsOf[old] * _MAGNITUDE, int256)
    claim: int256 = convert(self._per_token * balance, int256) + self._corrections[old] - withdrawn
    self._corrections[old] -= claim
    self._corrections[new] += claim


@internal
@view
def _accumulative_now(account: address, balance: uint256, supply: uint256) -> uint256:
    """
    @notice Returns all that a holder has earned so far, taken out or not.
    @param account The 20-byte address of the holder.
    @param balance His balance, in token wei.
    @param supply The present supply, in token wei.
    @return uint256 Units of the funds token, rounded down.
    """
    flowed: uint256 = 0
    rate: uint256 = 0
    first: uint256 = 0
    flowed, rate, first = self._flow()
    per_token: uint256 = 0
    carried: uint256 = 0
    per_token, carried = self._credited(flowed, supply)
    return self._accumulative(account, balance, per_token)


@internal
@view
def _unstreamed(supply: uint256) -> uint256:
    """
    @notice Returns what of all payments no holder can claim yet: what still flows, and
            what is carried.
    @dev Rounded up, so that this and all claims fall short of the payments by less than
         one unit for each holder.
    @param supply The present supply, in token wei.
    @return uint256 Units of the funds token.
    """
    flowed: uint256 = 0
    rate: uint256 = 0
    first: uint256 = 0
    flowed, rate, first = self._flow()
    per_token: uint256 = 0
    rest: uint256 = 0
    per_token, rest = self._credited(flowed, supply)
    for i: uint256 in range(first, self._next, bound=_MAX_STREAMS):
        rest += self._streams[i].rate * (self._streams[i].end - block.timestamp)
    return (rest + _MAGNITUDE - 1) >> _MAGNITUDE_BITS


@internal
@view
def _accumulative(account: address, balance: uint256, per_token: uint256) -> uint256:
    """
    @notice Returns the claim of a holder at a given credit of one token wei.
    """
    claim: int256 = convert(per_token * balance, int256) + self._corrections[account]
    return convert(claim, uint256) >> _MAGNITUDE_BITS


@internal
@view
def _credited(flowed: uint256, supply: uint256) -> (uint256, uint256):
    """
    @notice Returns the credit of one token wei and what is carried, both magnified, once
            `flowed` is credited to `supply`.
    """
    if supply < _MIN_SUPPLY:
        return self._per_token, self._carried + flowed
    return self._per_token + flowed // supply, self._carried + flowed % supply


@internal
@view
def _flow() -> (uint256, uint256, uint256):
    """
    @notice Returns what has flowed since the last credit, the flow that is left now, both
            magnified, and the number of the first payment that still flows.
    """
    rate: uint256 = self._rate
    first: uint256 = self._first
    flowed: uint256 = rate * (block.timestamp - self._updated)
    for i: uint256 in range(first, self._next, bound=_MAX_STREAMS):
        stream: Stream = self._streams[i]
        if stream.end > block.timestamp:
            break
        flowed -= stream.rate * (block.timestamp - stream.end)
        rate -= stream.rate
        first = i + 1
    return flowed, rate, first
