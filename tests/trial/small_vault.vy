# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title A small and sound Vault, into which tests plant faults
@custom:contract-name small_vault
@license GNU Affero General Public License v3.0 only
@notice ERC-4626 shares of one asset. A loss counts at once; a gain counts once anybody
        reports it, who gets a hundredth of it, and a tenth of it goes to the fee's
        recipient, as shares.
@dev Assets are counted inside, so donations change nothing before a report. Virtual shares
     and assets keep a first depositor from making shares dear. `planted.py` edits this text.
"""


from ethereum.ercs import IERC20
implements: IERC20


from ethereum.ercs import IERC20Detailed


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


_VIRTUAL_SHARES: constant(uint256) = 1_000
_VIRTUAL_ASSETS: constant(uint256) = 1
name: public(constant(String[11])) = "Small Vault"
symbol: public(constant(String[5])) = "SMALL"
decimals: public(immutable(uint8))
asset: public(immutable(address))
fee_recipient: public(immutable(address))
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
_counted: uint256
_queue: DynArray[address, 1_000_000]


@deploy
def __init__(asset_: address, fee_recipient_: address):
    asset = asset_
    fee_recipient = fee_recipient_
    decimals = staticcall IERC20Detailed(asset_).decimals()


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self._spend(owner, amount)
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    shares: uint256 = self._bought(assets)
    self._enter(receiver, assets, shares)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    assets: uint256 = self._to_assets(shares, True)
    self._enter(receiver, assets, shares)
    return assets


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    shares: uint256 = self._to_shares(assets, True)
    self._leave(receiver, owner, assets, shares)
    return shares


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    assets: uint256 = self._to_assets(shares, False)
    self._leave(receiver, owner, assets, shares)
    return assets


@external
def report():
    balance: uint256 = staticcall IERC20(asset).balanceOf(self)
    if balance < self._counted:
        self._on_loss(self._counted - balance)
        self._counted = balance
        return
    gain: uint256 = balance - self._counted
    tip: uint256 = gain // 100
    fee: uint256 = (gain - tip) // 10
    self._counted = balance - tip
    self._mint(fee_recipient, fee * (self.totalSupply + _VIRTUAL_SHARES) // (balance - tip - fee + 1))
    extcall IERC20(asset).transfer(msg.sender, tip)


@external
@view
def totalAssets() -> uint256:
    return self._total()


@external
@view
def convertToShares(assets: uint256) -> uint256:
    return self._to_shares(assets, False)


@external
@view
def convertToAssets(shares: uint256) -> uint256:
    return self._to_assets(shares, False)


@external
@view
def previewDeposit(assets: uint256) -> uint256:
    return self._bought(assets)


@external
@view
def previewMint(shares: uint256) -> uint256:
    return self._to_assets(shares, True)


@external
@view
def previewWithdraw(assets: uint256) -> uint256:
    return self._to_shares(assets, True)


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    return self._to_assets(shares, False)


@external
@view
def maxDeposit(receiver: address) -> uint256:
    return max_value(uint256)


@external
@view
def maxMint(receiver: address) -> uint256:
    return max_value(uint256)


@external
@view
def maxWithdraw(owner: address) -> uint256:
    return self._to_assets(self.balanceOf[owner], False)


@external
@view
def maxRedeem(owner: address) -> uint256:
    return self.balanceOf[owner]


@internal
@view
def _total() -> uint256:
    return min(self._counted, staticcall IERC20(asset).balanceOf(self))


@internal
@view
def _bought(assets: uint256) -> uint256:
    return self._to_shares(assets, False)


@internal
@view
def _to_shares(assets: uint256, up: bool) -> uint256:
    total: uint256 = self._total()
    if self.totalSupply == 0 and total == 0:
        return assets * max(_VIRTUAL_SHARES, 1)
    whole: uint256 = total + _VIRTUAL_ASSETS
    above: uint256 = assets * (self.totalSupply + _VIRTUAL_SHARES)
    return (above + whole - 1) // whole if up else above // whole


@internal
@view
def _to_assets(shares: uint256, up: bool) -> uint256:
    total: uint256 = self._total()
    if self.totalSupply == 0 and total == 0:
        whole: uint256 = max(_VIRTUAL_SHARES, 1)
        return (shares + whole - 1) // whole if up else shares // whole
    whole: uint256 = self.totalSupply + _VIRTUAL_SHARES
    above: uint256 = shares * (total + _VIRTUAL_ASSETS)
    return (above + whole - 1) // whole if up else above // whole


@internal
def _enter(receiver: address, assets: uint256, shares: uint256):
    self._counted = self._total()
    extcall IERC20(asset).transferFrom(msg.sender, self, assets)
    self._counted += assets
    self._mint(receiver, shares)
    log Deposit(sender=msg.sender, owner=receiver, assets=assets, shares=shares)


@internal
def _leave(receiver: address, owner: address, assets: uint256, shares: uint256):
    if msg.sender != owner:
        self._spend(owner, shares)
    self._counted = self._total() - assets
    self.balanceOf[owner] -= shares
    self.totalSupply -= shares
    log IERC20.Transfer(sender=owner, receiver=empty(address), value=shares)
    extcall IERC20(asset).transfer(receiver, assets)
    log Withdraw(sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares)


@internal
def _on_loss(loss: uint256):
    pass


@internal
def _mint(to: address, shares: uint256):
    self.totalSupply += shares
    self.balanceOf[to] += shares
    log IERC20.Transfer(sender=empty(address), receiver=to, value=shares)


@internal
def _spend(owner: address, amount: uint256):
    left: uint256 = self.allowance[owner][msg.sender]
    if left != max_value(uint256):
        self.allowance[owner][msg.sender] = left - amount


@internal
def _move(owner: address, to: address, amount: uint256):
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)
