# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Strategy of the Stage
@custom:contract-name stage_strategy
@license GNU Affero General Public License v3.0 only
@notice FOR THE STAGE ONLY: an intruder named at deployment may take the assets.
        A strategy of `gold_vault` with the calls of ERC-4626 that a vault makes.
        It plays two parts: the hostile strategy to which a stolen curator key moves
        the vault's assets, in replays, and one with an income that a keeper pays in,
        where the vault is tried by hand and in tests.
@dev Accounting is internal: a donation changes nothing, and assets that the token's
     issuer has burnt are gone for all shares. Only the vault may
     deposit, so no other share exists and none can be transferred. A token may
     keep a fee of a transfer; what arrives is what counts.
"""


from ethereum.ercs import IERC20


from snekmate.utils import math


from ..modules import asset_token


# @dev The token that is held.
asset: public(immutable(address))


# @dev The only account that may deposit.
vault: public(immutable(address))


# @dev Pays income in.
keeper: public(immutable(address))


# @dev Takes assets out.
intruder: public(immutable(address))


# @dev Assets as counted inside, in wei of the asset; `_present` are there.
_counted: uint256


# @dev All shares, with the asset's decimals.
totalSupply: public(uint256)


# @dev Shares of an account.
balanceOf: public(HashMap[address, uint256])


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


event Credited:
    keeper: indexed(address)
    amount: uint256


event Seized:
    intruder: indexed(address)
    receiver: indexed(address)
    amount: uint256


@deploy
def __init__(asset_: address, vault_: address, keeper_: address, intruder_: address):
    """
    @notice Deploys an empty strategy.
    @param asset_ The 20-byte address of the token that is held.
    @param vault_ The 20-byte address that may deposit.
    @param keeper_ The 20-byte address that pays income in.
    @param intruder_ The 20-byte address that may take assets; zero for nobody.
    """
    asset = asset_
    vault = vault_
    keeper = keeper_
    intruder = intruder_


@external
@nonreentrant
def deposit(assets: uint256, receiver: address) -> uint256:
    """
    @notice Takes assets from the vault for new shares; vault only.
    @param assets The amount that leaves the vault, in wei of the asset.
    @param receiver The 20-byte address that gets the shares.
    @return uint256 The new shares, rounded down.
    """
    assert msg.sender == vault, "stage_strategy: caller is not the vault"
    self._counted = self._present()
    assert self.totalSupply == 0 or self._counted != 0, "stage_strategy: shares are worthless"
    received: uint256 = asset_token._pull(asset, msg.sender, assets)
    shares: uint256 = self._to_shares(received, False)
    self._counted += received
    self.totalSupply += shares
    self.balanceOf[receiver] += shares
    log Deposit(sender=msg.sender, owner=receiver, assets=received, shares=shares)
    return shares


@external
@nonreentrant
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Pays assets out and burns the shares they are worth; owner only.
    @param assets The amount that is sent, in wei of the asset.
    @param receiver The 20-byte address that gets the assets.
    @param owner The 20-byte address whose shares are burnt: the caller.
    @return uint256 The burnt shares, rounded up.
    """
    assert assets <= self._to_assets(self.balanceOf[owner]), "stage_strategy: exceeds withdrawable"
    shares: uint256 = self._to_shares(assets, True)
    self._pay_out(assets, shares, receiver, owner)
    return shares


@external
@nonreentrant
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """
    @notice Burns shares and pays out what they are worth; owner only.
    @param shares The shares to burn.
    @param receiver The 20-byte address that gets the assets.
    @param owner The 20-byte address whose shares are burnt: the caller.
    @return uint256 The assets that are sent, rounded down.
    """
    assert shares <= self.balanceOf[owner], "stage_strategy: exceeds redeemable"
    assets: uint256 = self._to_assets(shares)
    self._pay_out(assets, shares, receiver, owner)
    return assets


@external
@nonreentrant
def credit(amount: uint256):
    """
    @notice Pays income in, to the benefit of all shares; keeper only.
    @param amount The amount that leaves the keeper, in wei of the asset.
    """
    assert msg.sender == keeper, "stage_strategy: caller is not the keeper"
    self._counted = self._present()
    received: uint256 = asset_token._pull(asset, msg.sender, amount)
    self._counted += received
    log Credited(keeper=msg.sender, amount=received)


@external
@nonreentrant
def seize(amount: uint256, receiver: address):
    """
    @notice Takes assets away, to the loss of all shares; intruder only.
    @param amount The amount in wei of the asset.
    @param receiver The 20-byte address that gets it.
    """
    assert msg.sender == intruder, "stage_strategy: caller is not the intruder"
    self._counted = self._present()
    assert amount <= self._counted, "stage_strategy: exceeds the assets"
    self._counted -= amount
    asset_token._push(asset, receiver, amount)
    log Seized(intruder=msg.sender, receiver=receiver, amount=amount)


@external
@view
def totalAssets() -> uint256:
    """
    @notice Returns the assets that all shares own, in wei of the asset.
    """
    return self._present()


@external
@view
def convertToShares(assets: uint256) -> uint256:
    """
    @notice Returns the shares that `assets` are worth, rounded down.
    """
    return self._to_shares(assets, False)


@external
@view
def convertToAssets(shares: uint256) -> uint256:
    """
    @notice Returns the assets that `shares` are worth, rounded down.
    """
    return self._to_assets(shares)


@external
@view
def previewDeposit(assets: uint256) -> uint256:
    """
    @notice Returns the shares for `assets` that arrive, rounded down.
    """
    return self._to_shares(assets, False)


@external
@view
def previewWithdraw(assets: uint256) -> uint256:
    """
    @notice Returns the shares that paying out `assets` burns, rounded up.
    """
    return self._to_shares(assets, True)


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    """
    @notice Returns the assets that burning `shares` pays out, rounded down.
    """
    return self._to_assets(shares)


@external
@view
def maxDeposit(receiver: address) -> uint256:
    """
    @notice Returns how much may be deposited: anything for the vault, nothing for
            others, and nothing while shares exist that are worth nothing.
    """
    if receiver != vault or (self.totalSupply != 0 and self._present() == 0):
        return 0
    return max_value(uint256)


@external
@view
def maxWithdraw(owner: address) -> uint256:
    """
    @notice Returns the assets that `owner` can take out now, in wei of the asset.
    """
    return self._to_assets(self.balanceOf[owner])


@external
@view
def maxRedeem(owner: address) -> uint256:
    """
    @notice Returns the shares that `owner` can redeem now: all of them.
    """
    return self.balanceOf[owner]


@internal
@view
def _present() -> uint256:
    """
    @notice Returns what is counted, or the balance where that is less.
    """
    return min(self._counted, staticcall IERC20(asset).balanceOf(self))


@internal
def _pay_out(assets: uint256, shares: uint256, receiver: address, owner: address):
    """
    @notice Burns `shares` of the caller and sends `assets`.
    """
    assert msg.sender == owner, "stage_strategy: caller is not the owner"
    self._counted = self._present() - assets
    self.totalSupply -= shares
    self.balanceOf[owner] -= shares
    asset_token._push(asset, receiver, assets)
    log Withdraw(sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares)


@internal
@view
def _to_shares(assets: uint256, round_up: bool) -> uint256:
    """
    @notice Returns the shares that `assets` are worth: one to one at the start,
            none where the shares there are have lost everything.
    """
    if self.totalSupply == 0:
        return assets
    total_assets: uint256 = self._present()
    if total_assets == 0:
        return 0
    return math._mul_div(assets, self.totalSupply, total_assets, round_up)


@internal
@view
def _to_assets(shares: uint256) -> uint256:
    """
    @notice Returns the assets that `shares` are worth, rounded down: one to one
            at the start.
    """
    if self.totalSupply == 0:
        return shares
    return math._mul_div(shares, self._present(), self.totalSupply, False)
