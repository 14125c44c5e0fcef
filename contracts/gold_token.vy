# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Token of Allocated Metal (PAXG-like and XAUT-like)
@custom:contract-name gold_token
@license GNU Affero General Public License v3.0 only
@notice One token stands for one troy ounce that a custodian holds. With 18
        decimals it is a PAXG-like token, with 6 an XAUT-like one; both name sets
        work on the same list of frozen addresses. The supply controller can mint
        only up to the ounces that a fresh proof of reserve attests. An issuer can
        freeze and wipe any address, a vault's too: that is a risk of the product,
        not a fault of this contract. Where it parts from those tokens, and why, is
        in docs/departures.md.
@dev Amounts are in the token's smallest unit, fee rates in parts per million
     (1_000_000 = 100 %), reserves in ounces with 18 decimals. The only external
     call is a static one to the reserve feed.
"""


from ethereum.ercs import IERC20
implements: IERC20


from ethereum.ercs import IERC20Detailed
implements: IERC20Detailed


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from .modules import feed


exports: (
    ownable.owner,
    ownable.transfer_ownership,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
)


# @dev Decimals in which supply and reserve are compared.
_RESERVE_DECIMALS: constant(uint8) = 18


# @dev A fee above the amount itself cannot be paid.
_MAX_FEE_RATE: constant(uint256) = 1_000_000


# @dev A fee rate of `feeParts` is 100 %.
feeParts: public(constant(uint256)) = 1_000_000


# @dev Decimals of a fee rate.
feeDecimals: public(constant(uint8)) = 6


# @dev The proof of reserve; its answer is ounces.
reserve_feed: public(immutable(address))


# @dev Greatest age of an attestation that still allows a mint, in seconds.
reserve_max_age: public(immutable(uint256))


# @dev Lifts a supply or reserve amount of this token to 18 decimals.
_SCALE: immutable(uint256)


# @dev Mints and burns, always on its own balance.
supplyController: public(address)


# @dev Freezes, unfreezes and wipes.
assetProtectionRole: public(address)


# @dev Sets fee rate and fee recipient.
feeController: public(address)


# @dev Receives the fees of all transfers.
feeRecipient: public(address)


# @dev Fee of a transfer in parts per million (1_000_000 = 100 %).
feeRate: public(uint256)


# @dev Whether all transfers are stopped.
paused: public(bool)


# @dev Whether an address may neither send nor receive.
isFrozen: public(HashMap[address, bool])


event Pause: pass


event Unpause: pass


event AddressFrozen:
    addr: indexed(address)


event AddressUnfrozen:
    addr: indexed(address)


event FrozenAddressWiped:
    addr: indexed(address)


event BlockPlaced:
    _user: indexed(address)


event BlockReleased:
    _user: indexed(address)


event DestroyedBlockedFunds:
    _blockedUser: indexed(address)
    _balance: uint256


event SupplyIncreased:
    to: indexed(address)
    value: uint256


event SupplyDecreased:
    sender: indexed(address)
    value: uint256


event FeeCollected:
    sender: indexed(address)
    to: indexed(address)
    value: uint256


event FeeRateSet:
    oldFeeRate: indexed(uint256)
    newFeeRate: indexed(uint256)


event FeeRecipientSet:
    oldFeeRecipient: indexed(address)
    newFeeRecipient: indexed(address)


event FeeControllerSet:
    oldFeeController: indexed(address)
    newFeeController: indexed(address)


event SupplyControllerSet:
    oldSupplyController: indexed(address)
    newSupplyController: indexed(address)


event AssetProtectionRoleSet:
    oldAssetProtectionRole: indexed(address)
    newAssetProtectionRole: indexed(address)


@deploy
def __init__(
    name_: String[25], symbol_: String[5], decimals_: uint8, reserve_feed_: address, reserve_max_age_: uint256
):
    """
    @notice Deploys the token without any supply and without a fee; the deployer
            takes every role and receives the fees.
    @param name_ The name, up to 25 characters.
    @param symbol_ The symbol, up to 5 characters.
    @param decimals_ The decimals: 18 like PAXG, 6 like XAUT; at most 18.
    @param reserve_feed_ The 20-byte address of the proof of reserve, in ounces.
    @param reserve_max_age_ The greatest age of an attestation, in seconds.
    """
    assert decimals_ <= _RESERVE_DECIMALS, "gold_token: more than 18 decimals"
    assert reserve_feed_ != empty(address), "gold_token: reserve feed is the zero address"
    ownable.__init__()
    erc20.__init__(name_, symbol_, decimals_, name_, "1")
    reserve_feed = reserve_feed_
    reserve_max_age = reserve_max_age_
    _SCALE = 10 ** convert(_RESERVE_DECIMALS - decimals_, uint256)
    self.supplyController = msg.sender
    self.assetProtectionRole = msg.sender
    self.feeController = msg.sender
    self.feeRecipient = msg.sender


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Takes `amount` from the caller; the receiver gets it less the fee.
    @param to The 20-byte receiver address, not this contract's.
    @param amount The amount that leaves the caller, fee included.
    @return bool Always `True`; a failure reverts.
    """
    self._check_moves(msg.sender, to)
    self._transfer_less_fee(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Takes `amount` from `owner` out of the caller's allowance; the receiver
            gets it less the fee. The allowance falls by the amount, the greatest one
            too, and without an event.
    @param owner The 20-byte owner address.
    @param to The 20-byte receiver address, not this contract's.
    @param amount The amount that leaves the owner, fee included.
    @return bool Always `True`; a failure reverts.
    """
    self._check_moves(owner, to)
    self._check_not_frozen(msg.sender)
    allowance: uint256 = erc20.allowance[owner][msg.sender]
    assert amount <= allowance, "gold_token: amount exceeds allowance"
    erc20.allowance[owner][msg.sender] = allowance - amount
    self._transfer_less_fee(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Sets what `spender` may move of the caller's tokens.
    @param spender The 20-byte spender address.
    @param amount The amount, fees included.
    @return bool Always `True`; a failure reverts.
    """
    self._check_moves(msg.sender, spender)
    erc20._approve(msg.sender, spender, amount)
    return True


@external
def increaseSupply(amount: uint256) -> bool:
    """
    @notice Mints to the supply controller, up to the attested reserve.
    @dev Both sides are compared with 18 decimals, to which they are multiplied,
         never divided: a fraction of a unit in the reserve cannot be minted.
    @param amount The amount to mint.
    @return bool Always `True`; a failure reverts.
    """
    self._check_supply_controller()
    self._check_not_frozen(msg.sender)
    ounces: uint256 = (erc20.totalSupply + amount) * _SCALE
    assert ounces <= self._attested_reserve(), "gold_token: supply would exceed the reserve"
    erc20._mint(msg.sender, amount)
    log SupplyIncreased(to=msg.sender, value=amount)
    return True


@external
def decreaseSupply(amount: uint256) -> bool:
    """
    @notice Burns from the balance of the supply controller.
    @param amount The amount to burn.
    @return bool Always `True`; a failure reverts.
    """
    self._check_supply_controller()
    self._check_not_frozen(msg.sender)
    assert amount <= erc20.balanceOf[msg.sender], "gold_token: amount exceeds balance"
    erc20._burn(msg.sender, amount)
    log SupplyDecreased(sender=msg.sender, value=amount)
    return True


@external
def pause():
    """
    @notice Stops all transfers and approvals; owner only.
    """
    ownable._check_owner()
    assert not self.paused, "gold_token: already paused"
    self.paused = True
    log Pause()


@external
def unpause():
    """
    @notice Resumes transfers and approvals; owner only.
    """
    ownable._check_owner()
    assert self.paused, "gold_token: not paused"
    self.paused = False
    log Unpause()


@external
def freeze(addr: address):
    """
    @notice Bars an address from sending and receiving; asset protection only.
    @param addr The 20-byte address.
    """
    self._freeze(addr)
    log AddressFrozen(addr=addr)


@external
def unfreeze(addr: address):
    """
    @notice Lifts the bar from an address; asset protection only.
    @param addr The 20-byte address.
    """
    self._unfreeze(addr)
    log AddressUnfrozen(addr=addr)


@external
def wipeFrozenAddress(addr: address):
    """
    @notice Burns the whole balance of a frozen address; asset protection only.
    @param addr The 20-byte address.
    """
    balance: uint256 = self._wipe(addr)
    log FrozenAddressWiped(addr=addr)
    log SupplyDecreased(sender=addr, value=balance)


@external
def addToBlockedList(_user: address):
    """
    @notice Does what `freeze` does, under the XAUT name and event.
    @param _user The 20-byte address.
    """
    self._freeze(_user)
    log BlockPlaced(_user=_user)


@external
def removeFromBlockedList(_user: address):
    """
    @notice Does what `unfreeze` does, under the XAUT name and event.
    @param _user The 20-byte address.
    """
    self._unfreeze(_user)
    log BlockReleased(_user=_user)


@external
def destroyBlockedFunds(_blockedUser: address):
    """
    @notice Does what `wipeFrozenAddress` does, under the XAUT name and event.
    @param _blockedUser The 20-byte address.
    """
    balance: uint256 = self._wipe(_blockedUser)
    log DestroyedBlockedFunds(_blockedUser=_blockedUser, _balance=balance)


@external
def setFeeRate(newFeeRate: uint256):
    """
    @notice Sets the fee of a transfer; fee controller only.
    @param newFeeRate Parts per million (200 = 0.02 %), at most 1_000_000.
    """
    self._check_fee_controller()
    assert newFeeRate <= _MAX_FEE_RATE, "gold_token: fee rate above 100 %"
    log FeeRateSet(oldFeeRate=self.feeRate, newFeeRate=newFeeRate)
    self.feeRate = newFeeRate


@external
def setFeeRecipient(newFeeRecipient: address):
    """
    @notice Sets who receives the fees; fee controller only.
    @param newFeeRecipient The 20-byte address, neither a frozen one nor this contract's.
    """
    self._check_fee_controller()
    assert newFeeRecipient != empty(address), "gold_token: fee recipient is the zero address"
    self._check_receiver(newFeeRecipient)
    self._check_not_frozen(newFeeRecipient)
    log FeeRecipientSet(oldFeeRecipient=self.feeRecipient, newFeeRecipient=newFeeRecipient)
    self.feeRecipient = newFeeRecipient


@external
def setFeeController(newFeeController: address):
    """
    @notice Hands on the role of the fee controller; its holder or the owner.
    @param newFeeController The 20-byte address.
    """
    self._check_holder_or_owner(self.feeController)
    assert newFeeController != empty(address), "gold_token: fee controller is the zero address"
    log FeeControllerSet(oldFeeController=self.feeController, newFeeController=newFeeController)
    self.feeController = newFeeController


@external
def setSupplyController(newSupplyController: address):
    """
    @notice Hands on the role of the supply controller; its holder or the owner.
    @param newSupplyController The 20-byte address.
    """
    self._check_holder_or_owner(self.supplyController)
    assert newSupplyController != empty(address), "gold_token: supply controller is the zero address"
    log SupplyControllerSet(
        oldSupplyController=self.supplyController, newSupplyController=newSupplyController
    )
    self.supplyController = newSupplyController


@external
def setAssetProtectionRole(newAssetProtectionRole: address):
    """
    @notice Hands on the role of asset protection; its holder or the owner.
    @param newAssetProtectionRole The 20-byte address; zero gives the role up.
    """
    self._check_holder_or_owner(self.assetProtectionRole)
    log AssetProtectionRoleSet(
        oldAssetProtectionRole=self.assetProtectionRole, newAssetProtectionRole=newAssetProtectionRole
    )
    self.assetProtectionRole = newAssetProtectionRole


@external
@view
def getFeeFor(amount: uint256) -> uint256:
    """
    @notice Returns the fee on a transfer of `amount`, rounded down.
    @param amount The amount that leaves the sender.
    @return uint256 The part of it that the fee recipient gets.
    """
    return self._fee_for(amount)


@external
@view
def isBlocked(_user: address) -> bool:
    """
    @notice Returns what `isFrozen` returns, under the XAUT name.
    @param _user The 20-byte address.
    @return bool Whether the address may neither send nor receive.
    """
    return self.isFrozen[_user]


@external
@view
def attested_reserve() -> uint256:
    """
    @notice Returns the ounces that the proof of reserve attests now.
    @dev Reverts where a mint would: on an answer that is missing or too old.
    @return uint256 Troy ounces with 18 decimals (1e18 = 1 oz).
    """
    return self._attested_reserve()


@internal
def _transfer_less_fee(owner: address, to: address, amount: uint256):
    """
    @notice Moves `amount` out of `owner`: the fee to its recipient, the rest to `to`.
    @dev As PAXG does, a fee of zero is logged as a transfer too.
    @param owner The 20-byte owner address.
    @param to The 20-byte receiver address.
    @param amount The amount that leaves the owner.
    """
    self._check_receiver(to)
    assert amount <= erc20.balanceOf[owner], "gold_token: amount exceeds balance"
    fee: uint256 = self._fee_for(amount)
    recipient: address = self.feeRecipient
    erc20._transfer(owner, to, amount - fee)
    if fee == 0:
        log IERC20.Transfer(sender=owner, receiver=recipient, value=0)
    else:
        erc20._transfer(owner, recipient, fee)
        log FeeCollected(sender=owner, to=recipient, value=fee)


@internal
@view
def _fee_for(amount: uint256) -> uint256:
    """
    @notice Returns the fee on `amount`, rounded down in favour of the sender.
    """
    return amount * self.feeRate // feeParts


@internal
@view
def _attested_reserve() -> uint256:
    """
    @notice Returns the checked answer of the reserve feed, in ounces (1e18 = 1 oz).
    """
    return feed._read_attested(reserve_feed, reserve_max_age)


@internal
def _freeze(addr: address):
    """
    @notice Puts `addr` on the list.
    @dev The fee recipient is refused: each transfer would move a frozen balance.
    """
    self._check_asset_protection()
    assert not self.isFrozen[addr], "gold_token: address is already frozen"
    assert addr != self.feeRecipient, "gold_token: address receives the fees"
    self.isFrozen[addr] = True


@internal
def _unfreeze(addr: address):
    """
    @notice Takes `addr` off the list.
    """
    self._check_asset_protection()
    assert self.isFrozen[addr], "gold_token: address is not frozen"
    self.isFrozen[addr] = False


@internal
def _wipe(addr: address) -> uint256:
    """
    @notice Burns the whole balance of `addr` and returns it.
    @dev The metal stays with the custodian: the reserve then exceeds the supply.
    """
    self._check_asset_protection()
    assert self.isFrozen[addr], "gold_token: address is not frozen"
    balance: uint256 = erc20.balanceOf[addr]
    erc20._burn(addr, balance)
    return balance


@internal
@view
def _check_moves(sender: address, receiver: address):
    """
    @notice Reverts while paused or where either side is frozen.
    """
    assert not self.paused, "gold_token: paused"
    self._check_not_frozen(sender)
    self._check_not_frozen(receiver)


@internal
@view
def _check_receiver(receiver: address):
    """
    @notice Refuses this contract as a holder of its own tokens: no one could move them.
    """
    assert receiver != self, "gold_token: receiver is the token itself"


@internal
@view
def _check_not_frozen(addr: address):
    """
    @notice Reverts where `addr` is frozen.
    """
    assert not self.isFrozen[addr], "gold_token: address is frozen"


@internal
@view
def _check_supply_controller():
    """
    @notice Reverts unless the caller is the supply controller.
    """
    assert msg.sender == self.supplyController, "gold_token: caller is not the supply controller"


@internal
@view
def _check_asset_protection():
    """
    @notice Reverts unless the caller holds the role of asset protection.
    """
    assert msg.sender == self.assetProtectionRole, "gold_token: caller is not the asset protection role"


@internal
@view
def _check_fee_controller():
    """
    @notice Reverts unless the caller is the fee controller.
    """
    assert msg.sender == self.feeController, "gold_token: caller is not the fee controller"


@internal
@view
def _check_holder_or_owner(holder: address):
    """
    @notice Reverts unless the caller is `holder` or the owner.
    """
    assert msg.sender == holder or msg.sender == ownable.owner, "gold_token: caller is neither holder nor owner"
