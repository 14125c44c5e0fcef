# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Asset of a Trial
@custom:contract-name trial_asset
@license GNU Affero General Public License v3.0 only
@notice FOR THE STAGE ONLY: anybody may mint and burn. What a contract on trial takes and
        pays. Who asks for it is told of his transfers, as by the hooks of ERC-777: a sender
        before balances change, a receiver after they have.
@dev Amounts are in the token's own units; `decimals` are given at deployment.
"""


interface Told:
    def told(): nonpayable


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256


name: public(constant(String[11])) = "Trial Asset"
symbol: public(constant(String[5])) = "TRIAL"


# @dev Decimals of an amount.
decimals: public(immutable(uint8))


# @dev All units there are.
totalSupply: public(uint256)


# @dev Units of an account.
balanceOf: public(HashMap[address, uint256])


# @dev What a spender may move of an owner's.
allowance: public(HashMap[address, HashMap[address, uint256]])


# @dev Whether an account is told of its transfers.
is_told: public(HashMap[address, bool])


@deploy
def __init__(decimals_: uint8):
    """
    @notice Deploys the token without a supply.
    @param decimals_ Decimals of an amount.
    """
    decimals = decimals_


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves the caller's units.
    @param to The 20-byte receiver address.
    @param amount The units.
    @return bool Always true.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves units that the caller has an allowance for.
    @param owner The 20-byte address that holds them.
    @param to The 20-byte receiver address.
    @param amount The units.
    @return bool Always true.
    """
    left: uint256 = self.allowance[owner][msg.sender]
    if left != max_value(uint256):
        assert left >= amount, "trial_asset: allowance exceeded"
        self.allowance[owner][msg.sender] = left - amount
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Lets a spender move the caller's units.
    @param spender The 20-byte address of the spender.
    @param amount The units, all ones for no limit.
    @return bool Always true.
    """
    self.allowance[msg.sender][spender] = amount
    log Approval(owner=msg.sender, spender=spender, amount=amount)
    return True


@external
def mint(to: address, amount: uint256):
    """
    @notice Makes units out of nothing: income that comes from outside.
    @param to The 20-byte receiver address.
    @param amount The units.
    """
    self.totalSupply += amount
    self.balanceOf[to] += amount
    log Transfer(sender=empty(address), receiver=to, amount=amount)


@external
def burn(owner: address, amount: uint256):
    """
    @notice Takes units away from anybody: a loss.
    @param owner The 20-byte address that loses them.
    @param amount The units.
    """
    assert self.balanceOf[owner] >= amount, "trial_asset: burn exceeds balance"
    self.totalSupply -= amount
    self.balanceOf[owner] -= amount
    log Transfer(sender=owner, receiver=empty(address), amount=amount)


@external
def tell(is_told: bool):
    """
    @notice Lets the caller be told of its transfers, or no more.
    @param is_told Whether it is.
    """
    self.is_told[msg.sender] = is_told


@internal
def _move(owner: address, to: address, amount: uint256):
    """
    @notice Moves units, and tells whoever asked for it.
    @param owner The 20-byte address that holds them.
    @param to The 20-byte receiver address.
    @param amount The units.
    """
    if self.is_told[owner]:
        extcall Told(owner).told()
    assert self.balanceOf[owner] >= amount, "trial_asset: transfer exceeds balance"
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount
    log Transfer(sender=owner, receiver=to, amount=amount)
    if self.is_told[to]:
        extcall Told(to).told()
