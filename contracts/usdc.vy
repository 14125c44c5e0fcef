# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title USD Coin (mock)
@custom:contract-name usdc
@license GNU Affero General Public License v3.0 only
@notice The dollar of the stage, with the names, events and refusals of Circle's
        token, FiatToken V2.2: minters with an allowance, a blacklist, a pause and
        EIP-2612 permits. One token is 1e6. A loss of the peg is an event of a price
        feed, not of this contract. Where it parts from Circle's token, and why, is
        in docs/departures.md.
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


from snekmate.utils import ecdsa


from snekmate.utils import eip712_domain_separator
uses: eip712_domain_separator


exports: (
    ownable.owner,
    ownable.transfer_ownership,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)


_NAME: constant(String[25]) = "USD Coin"
_SYMBOL: constant(String[5]) = "USDC"
_DECIMALS: constant(uint8) = 6


# @dev Version of the EIP-712 signing domain, as of the deployed token.
_VERSION: constant(String[20]) = "2"


# @dev What a permit signs (EIP-2612).
PERMIT_TYPEHASH: public(constant(bytes32)) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)


# @dev The greatest balance: in the deployed token the bit above it is the blacklist.
_MAX_BALANCE: constant(uint256) = 2**255 - 1


# @dev Version of the token, as Circle's says it.
version: public(constant(String[1])) = "2"


# @dev The currency that a token stands for.
currency: public(constant(String[3])) = "USD"


# @dev Configures and removes minters.
masterMinter: public(address)


# @dev Keeps the blacklist.
blacklister: public(address)


# @dev Pauses and resumes every movement.
pauser: public(address)


# @dev Whether every movement is stopped.
paused: public(bool)


# @dev Whether an account may mint and burn.
isMinter: public(HashMap[address, bool])


# @dev What a minter may still mint (1e6 = one dollar).
minterAllowance: public(HashMap[address, uint256])


# @dev Whether an account may neither send nor receive.
isBlacklisted: public(HashMap[address, bool])


event Mint:
    minter: indexed(address)
    to: indexed(address)
    amount: uint256


event Burn:
    burner: indexed(address)
    amount: uint256


event MinterConfigured:
    minter: indexed(address)
    minterAllowedAmount: uint256


event MinterRemoved:
    oldMinter: indexed(address)


event MasterMinterChanged:
    newMasterMinter: indexed(address)


event Blacklisted:
    _account: indexed(address)


event UnBlacklisted:
    _account: indexed(address)


event BlacklisterChanged:
    newBlacklister: indexed(address)


event Pause: pass


event Unpause: pass


event PauserChanged:
    newAddress: indexed(address)


@deploy
def __init__():
    """
    @notice Deploys the token without any supply; the deployer takes every role. The
            token itself is blacklisted: what is sent to it could never be taken out.
    """
    ownable.__init__()
    erc20.__init__(_NAME, _SYMBOL, _DECIMALS, _NAME, _VERSION)
    self.masterMinter = msg.sender
    self.blacklister = msg.sender
    self.pauser = msg.sender
    self.isBlacklisted[self] = True


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves tokens of the caller.
    @param to The 20-byte receiver address.
    @param amount The amount (1e6 = one dollar).
    @return bool Always `True`; a failure reverts.
    """
    self._check_moves(msg.sender, to)
    self._transfer(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves tokens of `owner` out of the caller's allowance, which falls by the
            amount, the greatest one too, and without an event.
    @param owner The 20-byte owner address.
    @param to The 20-byte receiver address.
    @param amount The amount (1e6 = one dollar).
    @return bool Always `True`; a failure reverts.
    """
    self._check_moves(owner, to)
    self._check_not_blacklisted(msg.sender)
    allowance: uint256 = erc20.allowance[owner][msg.sender]
    assert amount <= allowance, "usdc: amount exceeds allowance"
    erc20.allowance[owner][msg.sender] = allowance - amount
    self._transfer(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Sets what `spender` may move of the caller's tokens.
    @dev Blacklisted accounts may approve and be approved; the transfer that would
         use it is refused.
    @param spender The 20-byte spender address.
    @param amount The amount (1e6 = one dollar).
    @return bool Always `True`; a failure reverts.
    """
    self._check_not_paused()
    erc20._approve(msg.sender, spender, amount)
    return True


@external
def increaseAllowance(spender: address, increment: uint256) -> bool:
    """
    @notice Adds to what `spender` may move of the caller's tokens.
    @param spender The 20-byte spender address.
    @param increment The amount to add (1e6 = one dollar).
    @return bool Always `True`; a failure reverts.
    """
    self._check_not_paused()
    allowance: uint256 = erc20.allowance[msg.sender][spender]
    assert increment <= max_value(uint256) - allowance, "usdc: allowance exceeds 2^256 - 1"
    erc20._approve(msg.sender, spender, allowance + increment)
    return True


@external
def decreaseAllowance(spender: address, decrement: uint256) -> bool:
    """
    @notice Takes from what `spender` may move of the caller's tokens.
    @param spender The 20-byte spender address.
    @param decrement The amount to take (1e6 = one dollar), at most the allowance.
    @return bool Always `True`; a failure reverts.
    """
    self._check_not_paused()
    allowance: uint256 = erc20.allowance[msg.sender][spender]
    assert decrement <= allowance, "usdc: decrease exceeds allowance"
    erc20._approve(msg.sender, spender, allowance - decrement)
    return True


@external
def permit(owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Sets what `spender` may move of `owner`'s tokens, by `owner`'s signature.
    @dev What is no signature has no signer, which `ecdsa` refuses.
    @param owner The 20-byte owner address.
    @param spender The 20-byte spender address.
    @param amount The amount (1e6 = one dollar).
    @param deadline The last second at which the signature counts, Unix seconds.
    @param v The parity of the signature.
    @param r The first half of the signature.
    @param s The second half of the signature.
    """
    self._check_not_paused()
    assert block.timestamp <= deadline, "usdc: permit has expired"
    nonce: uint256 = erc20.nonces[owner]
    erc20.nonces[owner] = nonce + 1
    signed: bytes32 = eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(PERMIT_TYPEHASH, owner, spender, amount, nonce, deadline))
    )
    signer: address = ecdsa._recover_vrs(signed, convert(v, uint256), convert(r, uint256), convert(s, uint256))
    assert signer == owner, "usdc: signature is not the owner's"
    erc20._approve(owner, spender, amount)


@external
def mint(to: address, amount: uint256) -> bool:
    """
    @notice Creates tokens out of the caller's minting allowance; minters only.
    @param to The 20-byte receiver address.
    @param amount The amount (1e6 = one dollar), above zero.
    @return bool Always `True`; a failure reverts.
    """
    self._check_minter()
    self._check_moves(msg.sender, to)
    assert amount != 0, "usdc: mint of nothing"
    allowance: uint256 = self.minterAllowance[msg.sender]
    assert amount <= allowance, "usdc: mint exceeds the minter's allowance"
    self.minterAllowance[msg.sender] = allowance - amount
    erc20._mint(to, amount)
    self._check_balance(to)
    log Mint(minter=msg.sender, to=to, amount=amount)
    return True


@external
def burn(amount: uint256):
    """
    @notice Destroys tokens of the caller; minters only.
    @param amount The amount (1e6 = one dollar), above zero.
    """
    self._check_minter()
    self._check_moves(msg.sender, msg.sender)
    assert amount != 0, "usdc: burn of nothing"
    erc20._burn(msg.sender, amount)
    log Burn(burner=msg.sender, amount=amount)


@external
def configureMinter(minter: address, minterAllowedAmount: uint256) -> bool:
    """
    @notice Makes an account a minter, or renews its allowance; master minter only.
    @param minter The 20-byte address of the minter.
    @param minterAllowedAmount What it may mint from now on (1e6 = one dollar).
    @return bool Always `True`; a failure reverts.
    """
    self._check_master_minter()
    self._check_not_paused()
    self.isMinter[minter] = True
    self.minterAllowance[minter] = minterAllowedAmount
    log MinterConfigured(minter=minter, minterAllowedAmount=minterAllowedAmount)
    return True


@external
def removeMinter(minter: address) -> bool:
    """
    @notice Takes role and allowance from a minter; master minter only.
    @dev Works while paused, so that a stolen minter key can be shut out.
    @param minter The 20-byte address of the minter.
    @return bool Always `True`; a failure reverts.
    """
    self._check_master_minter()
    self.isMinter[minter] = False
    self.minterAllowance[minter] = 0
    log MinterRemoved(oldMinter=minter)
    return True


@external
def blacklist(account: address):
    """
    @notice Bars an account from sending and receiving; blacklister only.
    @param account The 20-byte address.
    """
    self._check_blacklister()
    self.isBlacklisted[account] = True
    log Blacklisted(_account=account)


@external
def unBlacklist(account: address):
    """
    @notice Lifts the bar from an account; blacklister only.
    @param account The 20-byte address.
    """
    self._check_blacklister()
    self.isBlacklisted[account] = False
    log UnBlacklisted(_account=account)


@external
def pause():
    """
    @notice Stops every movement; pauser only.
    """
    self._check_pauser()
    self.paused = True
    log Pause()


@external
def unpause():
    """
    @notice Resumes movements; pauser only.
    """
    self._check_pauser()
    self.paused = False
    log Unpause()


@external
def updateMasterMinter(newMasterMinter: address):
    """
    @notice Hands on the role of the master minter; owner only.
    @param newMasterMinter The 20-byte address.
    """
    self._check_role_change(newMasterMinter)
    self.masterMinter = newMasterMinter
    log MasterMinterChanged(newMasterMinter=newMasterMinter)


@external
def updateBlacklister(newBlacklister: address):
    """
    @notice Hands on the role of the blacklister; owner only.
    @param newBlacklister The 20-byte address.
    """
    self._check_role_change(newBlacklister)
    self.blacklister = newBlacklister
    log BlacklisterChanged(newBlacklister=newBlacklister)


@external
def updatePauser(newPauser: address):
    """
    @notice Hands on the role of the pauser; owner only.
    @param newPauser The 20-byte address.
    """
    self._check_role_change(newPauser)
    self.pauser = newPauser
    log PauserChanged(newAddress=newPauser)


@internal
def _transfer(owner: address, to: address, amount: uint256):
    """
    @notice Moves tokens, within the greatest balance.
    """
    erc20._transfer(owner, to, amount)
    self._check_balance(to)


@internal
@view
def _check_balance(holder: address):
    """
    @notice Reverts where `holder` has come to hold more than the greatest balance.
    """
    assert erc20.balanceOf[holder] <= _MAX_BALANCE, "usdc: balance exceeds 2^255 - 1"


@internal
def _check_role_change(new_holder: address):
    """
    @notice Reverts unless the owner names a real account for a role.
    """
    ownable._check_owner()
    assert new_holder != empty(address), "usdc: role for the zero address"


@internal
@view
def _check_moves(sender: address, receiver: address):
    """
    @notice Reverts while paused or where either side is blacklisted.
    """
    self._check_not_paused()
    self._check_not_blacklisted(sender)
    self._check_not_blacklisted(receiver)


@internal
@view
def _check_not_paused():
    """
    @notice Reverts while the token is paused.
    """
    assert not self.paused, "usdc: paused"


@internal
@view
def _check_not_blacklisted(account: address):
    """
    @notice Reverts where `account` is blacklisted.
    """
    assert not self.isBlacklisted[account], "usdc: account is blacklisted"


@internal
@view
def _check_minter():
    """
    @notice Reverts unless the caller is a minter.
    """
    assert self.isMinter[msg.sender], "usdc: caller is not a minter"


@internal
@view
def _check_master_minter():
    """
    @notice Reverts unless the caller is the master minter.
    """
    assert msg.sender == self.masterMinter, "usdc: caller is not the master minter"


@internal
@view
def _check_blacklister():
    """
    @notice Reverts unless the caller is the blacklister.
    """
    assert msg.sender == self.blacklister, "usdc: caller is not the blacklister"


@internal
@view
def _check_pauser():
    """
    @notice Reverts unless the caller is the pauser.
    """
    assert msg.sender == self.pauser, "usdc: caller is not the pauser"
