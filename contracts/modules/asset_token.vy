# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Handling of a Token that may charge, stop or freeze
@custom:contract-name asset_token
@license GNU Affero General Public License v3.0 only
@notice Gold tokens may take a fee out of each transfer, be paused, or freeze an
        address. A holder of other people's tokens must credit what arrived, quote
        net of the fee, and not promise what it cannot send.
@dev Fees are read through `getFeeFor` and are taken to be proportional and
     rounded down. Tokens without these functions have no fee and never stop.
"""


from ethereum.ercs import IERC20


from snekmate.utils import math


from . import try_view


# @dev Fee rates are in parts per million.
_FEE_PARTS: constant(uint256) = 1_000_000


@internal
def _pull(token: address, owner: address, amount: uint256) -> uint256:
    """
    @notice Takes `amount` from `owner` and returns what arrived.
    @param token The 20-byte token address.
    @param owner The 20-byte address that pays; it must have approved this contract.
    @param amount The amount that leaves the owner.
    @return uint256 The amount by which the balance of this contract grew.
    """
    before: uint256 = staticcall IERC20(token).balanceOf(self)
    assert extcall IERC20(token).transferFrom(
        owner, self, amount, default_return_value=True
    ), "asset_token: transfer failed"
    return staticcall IERC20(token).balanceOf(self) - before


@internal
def _push(token: address, receiver: address, amount: uint256):
    """
    @notice Sends `amount`; a fee comes out of what the receiver gets.
    @dev Not to this contract: it would have paid, and the amount would be nobody's.
    @param token The 20-byte token address.
    @param receiver The 20-byte receiver address.
    @param amount The amount that leaves this contract.
    """
    assert receiver != self, "asset_token: receiver is the payer"
    assert extcall IERC20(token).transfer(
        receiver, amount, default_return_value=True
    ), "asset_token: transfer failed"


@internal
@view
def _net(token: address, amount: uint256) -> uint256:
    """
    @notice Returns what arrives when `amount` is sent.
    @param token The 20-byte token address.
    @param amount The amount that leaves the sender.
    @return uint256 The amount less the fee.
    """
    return amount - min(amount, self._fee(token, amount))


@internal
@view
def _gross(token: address, amount: uint256) -> uint256:
    """
    @notice Returns the least amount to send so that `amount` arrives.
    @dev With g sent, g - floor(g * rate) = ceil(g * (1 - rate)) arrives, which
         reaches `amount` from g = floor((amount - 1) / (1 - rate)) + 1 on.
    @param token The 20-byte token address.
    @param amount The amount that must arrive.
    @return uint256 The amount that must leave the sender.
    """
    rate_ppm: uint256 = self._fee(token, _FEE_PARTS)
    if rate_ppm == 0 or amount == 0:
        return amount
    assert rate_ppm < _FEE_PARTS, "asset_token: fee takes everything"
    return math._mul_div(amount - 1, _FEE_PARTS, _FEE_PARTS - rate_ppm, False) + 1


@internal
@view
def _fee(token: address, amount: uint256) -> uint256:
    """
    @notice Returns the fee of a transfer, zero for a token that names none.
    @param token The 20-byte token address.
    @param amount The amount that leaves the sender.
    @return uint256 The part of it that does not arrive.
    """
    success: bool = False
    fee: uint256 = 0
    success, fee = try_view._uint256(token, abi_encode(amount, method_id=method_id("getFeeFor(uint256)")))
    return fee


@internal
@view
def _is_stopped(token: address, holder: address) -> bool:
    """
    @notice Returns whether `holder` can neither send nor receive the token now.
    @param token The 20-byte token address.
    @param holder The 20-byte address of the holder.
    @return bool Whether the token is paused, or the holder frozen or blacklisted.
    """
    if self._flag(token, method_id("paused()", output_type=Bytes[4])):
        return True
    if self._flag(token, abi_encode(holder, method_id=method_id("isFrozen(address)"))):
        return True
    return self._flag(token, abi_encode(holder, method_id=method_id("isBlacklisted(address)")))


@internal
@view
def _flag(token: address, data: Bytes[36]) -> bool:
    """
    @notice Returns a yes-or-no view, no for a token without it.
    @param token The 20-byte token address.
    @param data The encoded call.
    @return bool The answer.
    """
    success: bool = False
    answer: uint256 = 0
    success, answer = try_view._uint256(token, data)
    return answer != 0
