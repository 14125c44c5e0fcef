# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Wallets and Parts of Balances that are frozen
@custom:contract-name frozen_balances
@license GNU Affero General Public License v3.0 only
@notice A wallet may be frozen whole, or a part of its balance. Names and events are
        those of ERC-3643.
@dev Bookkeeping only: the importing token holds the balances, passes them in, and
     keeps the frozen part at or below the balance by `_thaw` before it takes tokens
     by force.
"""


# @dev Whether a wallet may neither send nor receive.
isFrozen: public(HashMap[address, bool])


# @dev The part of a wallet's balance that it cannot send, in token wei.
getFrozenTokens: public(HashMap[address, uint256])


event AddressFrozen:
    _userAddress: indexed(address)
    _isFrozen: indexed(bool)
    _owner: indexed(address)


event TokensFrozen:
    _userAddress: indexed(address)
    _amount: uint256


event TokensUnfrozen:
    _userAddress: indexed(address)
    _amount: uint256


@internal
def _set_frozen(account: address, is_frozen: bool):
    """
    @notice Freezes or unfreezes a whole wallet.
    @param account The 20-byte address of the wallet.
    @param is_frozen Whether it is frozen from now on.
    """
    self.isFrozen[account] = is_frozen
    log AddressFrozen(_userAddress=account, _isFrozen=is_frozen, _owner=msg.sender)


@internal
def _freeze(account: address, amount: uint256, balance: uint256):
    """
    @notice Freezes a further part of a balance.
    @param account The 20-byte address of the wallet.
    @param amount The part, in token wei.
    @param balance The whole balance, in token wei.
    """
    assert amount <= self._free(account, balance), "frozen_balances: amount exceeds the free balance"
    self.getFrozenTokens[account] += amount
    log TokensFrozen(_userAddress=account, _amount=amount)


@internal
def _unfreeze(account: address, amount: uint256):
    """
    @notice Unfreezes a part of what is frozen.
    @param account The 20-byte address of the wallet.
    @param amount The part, in token wei.
    """
    frozen: uint256 = self.getFrozenTokens[account]
    assert amount <= frozen, "frozen_balances: amount exceeds the frozen balance"
    self.getFrozenTokens[account] = frozen - amount
    log TokensUnfrozen(_userAddress=account, _amount=amount)


@internal
def _thaw(account: address, amount: uint256, balance: uint256):
    """
    @notice Unfreezes what of `amount` the free balance does not cover.
    @param account The 20-byte address of the wallet.
    @param amount The amount that is about to leave, at most `balance`.
    @param balance The whole balance, in token wei.
    """
    free: uint256 = self._free(account, balance)
    if amount > free:
        self._unfreeze(account, amount - free)


@internal
def _move(old: address, new: address):
    """
    @notice Lets a wallet take over the freeze of another, whole and in part.
    @param old The 20-byte address of the wallet that is left empty.
    @param new The 20-byte address of the wallet that has received its balance.
    """
    amount: uint256 = self.getFrozenTokens[old]
    if amount != 0:
        self._unfreeze(old, amount)
        self.getFrozenTokens[new] += amount
        log TokensFrozen(_userAddress=new, _amount=amount)
    if self.isFrozen[old]:
        self._set_frozen(new, True)


@internal
@view
def _free(account: address, balance: uint256) -> uint256:
    """
    @notice Returns the part of a balance that is not frozen.
    @param account The 20-byte address of the wallet.
    @param balance The whole balance, in token wei.
    @return uint256 Token wei.
    """
    return balance - self.getFrozenTokens[account]
