# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Security Token of a Mine
@custom:contract-name mining_sto
@license GNU Affero General Public License v3.0 only
@notice A share in a mine's profit: an ERC-3643 token, which moves between verified
        wallets by the rules of its compliance, and which streams USDC to its holders.
        Revenue and payments are written down apart, so that everyone can see what of
        the payments is profit and what is capital handed back. Starts paused.
@dev Amounts are token wei (1e18 = one token) and units of the funds token (1e6 = one
     dollar). Trust: the owner chooses registry, compliance and agents; agents freeze,
     mint, burn, force transfers and recover wallets; the auditor's word is what the
     books count as revenue. None of them can take a profit that a holder has earned,
     but by moving his wallet through a recovery. Registry, compliance and funds token
     are the only contracts it calls. A frozen wallet cannot take out profit; a pause,
     or a wallet that is no longer verified, does not stop profit.
"""


from ethereum.ercs import IERC20
implements: IERC20


from ethereum.ercs import IERC20Detailed
implements: IERC20Detailed


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from .interfaces import ICompliance
from .interfaces import IIdentityRegistry


from .modules import agent_role
initializes: agent_role[ownable := ownable]


from .modules import compliance_check
from .modules import dividend_stream
initializes: dividend_stream


from .modules import frozen_balances
initializes: frozen_balances


from .modules import revenue_books
initializes: revenue_books


exports: (
    ownable.owner,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    agent_role.isAgent,
    agent_role.addAgent,
    agent_role.removeAgent,
    dividend_stream.funds_token,
    dividend_stream.stream_seconds,
    dividend_stream.flow_per_second,
    dividend_stream.total_distributed,
    dividend_stream.withdrawnFundsOf,
    frozen_balances.isFrozen,
    frozen_balances.getFrozenTokens,
    revenue_books.payout_bps,
    revenue_books.payout_owed,
    revenue_books.recorded_revenue,
    revenue_books.distributed_profit,
    revenue_books.returned_capital,
    revenue_books.undistributed_revenue,
)


# @dev Greatest number of entries of a batch.
_BATCH: constant(uint256) = 200


# @dev What is left of the gas, at least, after a call that failed for another reason than
# want of gas: a call leaves a 64th, so that one would have used 63 times as much.
_GAS_AFTER_REFUSAL: constant(uint256) = 20_000


# @dev Version of this token, as ERC-3643 wants it.
version: public(constant(String[5])) = "1.0.0"


# @dev The name, which the owner may change.
name: public(String[64])


# @dev The symbol, which the owner may change.
symbol: public(String[16])


# @dev The identity contract of the token itself; stored only.
onchainID: public(address)


# @dev Says which wallets are verified.
identityRegistry: public(address)


# @dev Says which transfers the rules allow.
compliance: public(address)


# @dev Whether transfers are stopped.
paused: public(bool)


# @dev Pays profit to the holders.
mine_operator: public(address)


# @dev Records the mine's revenue.
auditor: public(address)


# @dev The wallet that took over from a lost one.
recovered_to: public(HashMap[address, address])


event UpdatedTokenInformation:
    _newName: String[64]
    _newSymbol: String[16]
    _newDecimals: uint8
    _newVersion: String[5]
    _newOnchainID: address


event IdentityRegistryAdded:
    _identityRegistry: indexed(address)


event ComplianceAdded:
    _compliance: indexed(address)


event RecoverySuccess:
    _lostWallet: address
    _newWallet: address
    _investorOnchainID: address


event Paused:
    _userAddress: address


event Unpaused:
    _userAddress: address


event MineOperatorSet:
    mine_operator: indexed(address)


event AuditorSet:
    auditor: indexed(address)


@deploy
def __init__(
    name_: String[64],
    symbol_: String[16],
    identity_registry_: address,
    compliance_: address,
    funds_token_: address,
    stream_seconds_: uint256,
    payout_bps_: uint256,
    mine_operator_: address,
    auditor_: address,
):
    """
    @notice Deploys paused and without supply, and binds itself to its compliance; the
            deployer is owner.
    @param name_ The name, up to 64 characters.
    @param symbol_ The symbol, up to 16 characters.
    @param identity_registry_ The 20-byte address of the identity registry.
    @param compliance_ The 20-byte address of a compliance without a token.
    @param funds_token_ The 20-byte address of the token in which profit is paid.
    @param stream_seconds_ How long a payment flows, in seconds, above zero.
    @param payout_bps_ The promised part of the revenue (10,000 = 100 %).
    @param mine_operator_ The 20-byte address that pays profit.
    @param auditor_ The 20-byte address that records revenue.
    """
    ownable.__init__()
    # The name and symbol of the module cannot be changed later, so they are not used.
    erc20.__init__("", "", 18, "", "")
    dividend_stream.__init__(funds_token_, stream_seconds_)
    revenue_books.__init__(payout_bps_)
    self.name = name_
    self.symbol = symbol_
    self.paused = True
    self._set_mine_operator(mine_operator_)
    self._set_auditor(auditor_)
    self._set_identity_registry(identity_registry_)
    self._set_compliance(compliance_)
    self._log_information()


# --- ERC-20 ------------------------------------------------------------------


@external
@nonreentrant
def transfer(_to: address, _amount: uint256) -> bool:
    """
    @notice Moves tokens of the caller.
    @param _to The 20-byte address of a verified receiver.
    @param _amount Token wei.
    @return bool Always `True`; a failure reverts.
    """
    self._transfer(msg.sender, _to, _amount)
    return True


@external
@nonreentrant
def transferFrom(_from: address, _to: address, _amount: uint256) -> bool:
    """
    @notice Moves tokens of `_from` out of the caller's allowance.
    @param _from The 20-byte address of the owner of the tokens.
    @param _to The 20-byte address of a verified receiver.
    @param _amount Token wei.
    @return bool Always `True`; a failure reverts.
    """
    erc20._spend_allowance(_from, msg.sender, _amount)
    self._transfer(_from, _to, _amount)
    return True


# --- ERC-3643: agents --------------------------------------------------------


@external
@nonreentrant
def mint(_to: address, _amount: uint256):
    """
    @notice Creates tokens; agents only, also while paused. The rules of the compliance
            hold.
    @param _to The 20-byte address of a verified receiver.
    @param _amount Token wei.
    """
    agent_role._check_agent()
    self._mint(_to, _amount)


@external
@nonreentrant
def burn(_userAddress: address, _amount: uint256):
    """
    @notice Destroys tokens of a wallet, frozen ones last; agents only.
    @param _userAddress The 20-byte address of the wallet, which keeps its profit.
    @param _amount Token wei.
    """
    agent_role._check_agent()
    self._burn(_userAddress, _amount)


@external
@nonreentrant
def forcedTransfer(_from: address, _to: address, _amount: uint256) -> bool:
    """
    @notice Moves tokens without their owner, frozen ones last; agents only. Neither
            pause, nor freeze, nor a rule of the compliance stops it.
    @param _from The 20-byte address of the wallet, which keeps its profit.
    @param _to The 20-byte address of a verified receiver.
    @param _amount Token wei.
    @return bool Always `True`; a failure reverts.
    """
    agent_role._check_agent()
    self._forced_transfer(_from, _to, _amount)
    return True


@external
@nonreentrant
def recoveryAddress(_lostWallet: address, _newWallet: address, _investorOnchainID: address) -> bool:
    """
    @notice Hands all that a lost wallet has to a new one of the same identity: balance,
            freeze, lock-up and unclaimed profit; agents only. The new wallet is
            registered, the lost one removed.
    @dev The token must be an agent of its registry. A wallet without a balance can be
         recovered too: it may have staked, or still have to claim. Contracts that owe
         to the lost wallet find its successor in `recovered_to`. A lost wallet stays
         lost: it can neither be recovered again nor take over from another.
    @param _lostWallet The 20-byte address of the lost wallet.
    @param _newWallet The 20-byte address of the new wallet.
    @param _investorOnchainID The identity of both.
    @return bool Always `True`; a failure reverts.
    """
    agent_role._check_agent()
    assert _lostWallet != _newWallet, "mining_sto: lost wallet is the new one"
    # Who has followed a wallet stays so for ever: others may owe to it under that name.
    assert self.recovered_to[_lostWallet] == empty(address), "mining_sto: wallet was recovered before"
    assert self.recovered_to[_newWallet] == empty(address), "mining_sto: wallet was recovered before"
    self._register_successor(_lostWallet, _newWallet, _investorOnchainID)

    balance: uint256 = erc20.balanceOf[_lostWallet]
    dividend_stream._accrue(erc20.totalSupply)
    dividend_stream._move_claim(_lostWallet, _newWallet, balance)
    self._move(_lostWallet, _newWallet, balance)
    frozen_balances._move(_lostWallet, _newWallet)

    self.recovered_to[_lostWallet] = _newWallet
    extcall IIdentityRegistry(self.identityRegistry).deleteIdentity(_lostWallet)
    self._tell_compliance(_lostWallet, _newWallet)
    log RecoverySuccess(
        _lostWallet=_lostWallet, _newWallet=_newWallet, _investorOnchainID=_investorOnchainID
    )
    return True


@external
def setAddressFrozen(_userAddress: address, _freeze: bool):
    """
    @notice Freezes or unfreezes a wallet; agents only.
    @param _userAddress The 20-byte address of the wallet.
    @param _freeze Whether it is frozen from now on.
    """
    agent_role._check_agent()
    frozen_balances._set_frozen(_userAddress, _freeze)


@external
def freezePartialTokens(_userAddress: address, _amount: uint256):
    """
    @notice Freezes a part of a balance; agents only.
    @param _userAddress The 20-byte address of the wallet.
    @param _amount Token wei, at most the free balance.
    """
    agent_role._check_agent()
    frozen_balances._freeze(_userAddress, _amount, erc20.balanceOf[_userAddress])


@external
def unfreezePartialTokens(_userAddress: address, _amount: uint256):
    """
    @notice Unfreezes a part of a balance; agents only.
    @param _userAddress The 20-byte address of the wallet.
    @param _amount Token wei, at most the frozen balance.
    """
    agent_role._check_agent()
    frozen_balances._unfreeze(_userAddress, _amount)


@external
def pause():
    """
    @notice Stops transfers; agents only.
    """
    agent_role._check_agent()
    self._check_not_paused()
    self.paused = True
    log Paused(_userAddress=msg.sender)


@external
def unpause():
    """
    @notice Lets transfers go on; agents only.
    """
    agent_role._check_agent()
    assert self.paused, "mining_sto: not paused"
    self.paused = False
    log Unpaused(_userAddress=msg.sender)


# --- ERC-3643: batches -------------------------------------------------------


@external
@nonreentrant
def batchTransfer(_toList: DynArray[address, _BATCH], _amounts: DynArray[uint256, _BATCH]):
    """
    @notice Does what `transfer` does, many times.
    @param _toList The receivers, up to 200.
    @param _amounts Token wei for each.
    """
    self._check_lengths(len(_toList), len(_amounts))
    for i: uint256 in range(len(_toList), bound=_BATCH):
        self._transfer(msg.sender, _toList[i], _amounts[i])


@external
@nonreentrant
def batchForcedTransfer(
    _fromList: DynArray[address, _BATCH], _toList: DynArray[address, _BATCH], _amounts: DynArray[uint256, _BATCH]
):
    """
    @notice Does what `forcedTransfer` does, many times; agents only.
    @param _fromList The wallets, up to 200.
    @param _toList The receiver for each.
    @param _amounts Token wei for each.
    """
    agent_role._check_agent()
    self._check_lengths(len(_fromList), len(_amounts))
    self._check_lengths(len(_toList), len(_amounts))
    for i: uint256 in range(len(_toList), bound=_BATCH):
        self._forced_transfer(_fromList[i], _toList[i], _amounts[i])


@external
@nonreentrant
def batchMint(_toList: DynArray[address, _BATCH], _amounts: DynArray[uint256, _BATCH]):
    """
    @notice Does what `mint` does, many times; agents only.
    @param _toList The receivers, up to 200.
    @param _amounts Token wei for each.
    """
    agent_role._check_agent()
    self._check_lengths(len(_toList), len(_amounts))
    for i: uint256 in range(len(_toList), bound=_BATCH):
        self._mint(_toList[i], _amounts[i])


@external
@nonreentrant
def batchBurn(_userAddresses: DynArray[address, _BATCH], _amounts: DynArray[uint256, _BATCH]):
    """
    @notice Does what `burn` does, many times; agents only.
    @param _userAddresses The wallets, up to 200.
    @param _amounts Token wei for each.
    """
    agent_role._check_agent()
    self._check_lengths(len(_userAddresses), len(_amounts))
    for i: uint256 in range(len(_userAddresses), bound=_BATCH):
        self._burn(_userAddresses[i], _amounts[i])


@external
def batchSetAddressFrozen(_userAddresses: DynArray[address, _BATCH], _freeze: DynArray[bool, _BATCH]):
    """
    @notice Does what `setAddressFrozen` does, many times; agents only.
    @param _userAddresses The wallets, up to 200.
    @param _freeze Whether each is frozen from now on.
    """
    agent_role._check_agent()
    self._check_lengths(len(_userAddresses), len(_freeze))
    for i: uint256 in range(len(_userAddresses), bound=_BATCH):
        frozen_balances._set_frozen(_userAddresses[i], _freeze[i])


@external
def batchFreezePartialTokens(_userAddresses: DynArray[address, _BATCH], _amounts: DynArray[uint256, _BATCH]):
    """
    @notice Does what `freezePartialTokens` does, many times; agents only.
    @param _userAddresses The wallets, up to 200.
    @param _amounts Token wei for each.
    """
    agent_role._check_agent()
    self._check_lengths(len(_userAddresses), len(_amounts))
    for i: uint256 in range(len(_userAddresses), bound=_BATCH):
        frozen_balances._freeze(_userAddresses[i], _amounts[i], erc20.balanceOf[_userAddresses[i]])


@external
def batchUnfreezePartialTokens(_userAddresses: DynArray[address, _BATCH], _amounts: DynArray[uint256, _BATCH]):
    """
    @notice Does what `unfreezePartialTokens` does, many times; agents only.
    @param _userAddresses The wallets, up to 200.
    @param _amounts Token wei for each.
    """
    agent_role._check_agent()
    self._check_lengths(len(_userAddresses), len(_amounts))
    for i: uint256 in range(len(_userAddresses), bound=_BATCH):
        frozen_balances._unfreeze(_userAddresses[i], _amounts[i])


# --- ERC-3643: owner ---------------------------------------------------------


@external
def transferOwnership(_newOwner: address):
    """
    @notice Hands on the ownership; owner only.
    @param _newOwner The 20-byte address of the new owner.
    """
    ownable._check_owner()
    assert _newOwner != empty(address), "mining_sto: owner is the zero address"
    ownable._transfer_ownership(_newOwner)


@external
def setName(_name: String[64]):
    """
    @notice Sets the name; owner only.
    @param _name Up to 64 characters, not none.
    """
    ownable._check_owner()
    assert len(_name) != 0, "mining_sto: name is empty"
    self.name = _name
    self._log_information()


@external
def setSymbol(_symbol: String[16]):
    """
    @notice Sets the symbol; owner only.
    @param _symbol Up to 16 characters, not none.
    """
    ownable._check_owner()
    assert len(_symbol) != 0, "mining_sto: symbol is empty"
    self.symbol = _symbol
    self._log_information()


@external
def setOnchainID(_onchainID: address):
    """
    @notice Stores the identity contract of the token; owner only.
    @param _onchainID The 20-byte address.
    """
    ownable._check_owner()
    self.onchainID = _onchainID
    self._log_information()


@external
def setIdentityRegistry(_identityRegistry: address):
    """
    @notice Sets who says which wallets are verified; owner only.
    @param _identityRegistry The 20-byte address of the registry.
    """
    ownable._check_owner()
    self._set_identity_registry(_identityRegistry)


@external
@nonreentrant
def setCompliance(_compliance: address):
    """
    @notice Lets go of the present compliance and binds another; owner only.
    @param _compliance The 20-byte address of a compliance without a token.
    """
    ownable._check_owner()
    extcall ICompliance(self.compliance).unbindToken(self)
    self._set_compliance(_compliance)


@external
def set_mine_operator(mine_operator: address):
    """
    @notice Sets who pays profit; owner only.
    @param mine_operator The 20-byte address.
    """
    ownable._check_owner()
    self._set_mine_operator(mine_operator)


@external
def set_auditor(auditor: address):
    """
    @notice Sets who records revenue; owner only.
    @param auditor The 20-byte address.
    """
    ownable._check_owner()
    self._set_auditor(auditor)


# --- Revenue and profit ------------------------------------------------------


@external
def record_revenue(amount: uint256):
    """
    @notice Writes down what the mine has earned; auditor only. No money moves.
    @param amount Units of the funds token, above zero.
    """
    assert msg.sender == self.auditor, "mining_sto: caller is not the auditor"
    revenue_books._record(amount)


@external
@nonreentrant
def distribute_funds(amount: uint256):
    """
    @notice Takes a payment and streams it to the holders; operator and agents. What
            recorded revenue does not cover is booked and logged as return of capital.
    @param amount Units of the funds token; zero to restart what was carried.
    """
    self._check_payer()
    received: uint256 = dividend_stream._pay_in(amount, erc20.totalSupply)
    revenue_books._book(received, min(received, revenue_books._undistributed_revenue()))


@external
@nonreentrant
def return_capital(amount: uint256):
    """
    @notice Takes a payment and streams it to the holders as return of capital, whatever
            revenue there is; operator and agents.
    @param amount Units of the funds token.
    """
    self._check_payer()
    revenue_books._book(dividend_stream._pay_in(amount, erc20.totalSupply), 0)


@external
@nonreentrant
def withdrawFunds():
    """
    @notice Pays the caller all profit earned so far; nothing where there is none.
    """
    assert not frozen_balances.isFrozen[msg.sender], "mining_sto: wallet is frozen"
    dividend_stream._withdraw(msg.sender, erc20.balanceOf[msg.sender], erc20.totalSupply)


@external
@view
def withdrawableFundsOf(account: address) -> uint256:
    """
    @notice Returns what `withdrawFunds` would pay an account now.
    @param account The 20-byte address of the holder.
    @return uint256 Units of the funds token, rounded down.
    """
    return self._accumulative_funds(account) - dividend_stream.withdrawnFundsOf[account]


@external
@view
def accumulativeFundsOf(account: address) -> uint256:
    """
    @notice Returns all that an account has earned, taken out or not.
    @param account The 20-byte address of the holder.
    @return uint256 Units of the funds token, rounded down.
    """
    return self._accumulative_funds(account)


@external
@view
def unstreamed_funds() -> uint256:
    """
    @notice Returns what of all payments nobody can claim yet: what still flows, and
            what is carried to the next payment.
    @return uint256 Units of the funds token, rounded up.
    """
    return dividend_stream._unstreamed(erc20.totalSupply)


# --- Inside ------------------------------------------------------------------


@internal
def _transfer(owner: address, to: address, amount: uint256):
    """
    @notice Moves tokens if nothing forbids it.
    """
    self._check_not_paused()
    assert not frozen_balances.isFrozen[owner], "mining_sto: wallet is frozen"
    assert not frozen_balances.isFrozen[to], "mining_sto: wallet is frozen"
    free: uint256 = frozen_balances._free(owner, erc20.balanceOf[owner])
    assert amount <= free, "mining_sto: amount exceeds the free balance"
    self._check_verified(to)
    compliance_check._check(self.compliance, owner, to, amount)
    dividend_stream._accrue(erc20.totalSupply)
    self._move(owner, to, amount)


@internal
def _forced_transfer(owner: address, to: address, amount: uint256):
    """
    @notice Moves tokens without their owner, to a verified receiver.
    """
    self._check_verified(to)
    self._thaw(owner, amount)
    dividend_stream._accrue(erc20.totalSupply)
    self._move(owner, to, amount)


@internal
def _move(owner: address, to: address, amount: uint256):
    """
    @notice Moves tokens with the corrections of both claims and tells the compliance;
            the flow must be credited before.
    """
    dividend_stream._correct_transfer(owner, to, amount)
    erc20._transfer(owner, to, amount)
    extcall ICompliance(self.compliance).transferred(owner, to, amount)


@internal
def _mint(to: address, amount: uint256):
    """
    @notice Creates tokens if the rules allow it.
    """
    self._check_verified(to)
    compliance_check._check(self.compliance, empty(address), to, amount)
    dividend_stream._accrue(erc20.totalSupply)
    dividend_stream._correct_mint(to, amount, erc20.totalSupply)
    erc20._mint(to, amount)
    extcall ICompliance(self.compliance).created(to, amount)


@internal
def _burn(owner: address, amount: uint256):
    """
    @notice Destroys tokens, frozen ones last.
    """
    self._thaw(owner, amount)
    dividend_stream._accrue(erc20.totalSupply)
    dividend_stream._correct_burn(owner, amount)
    erc20._burn(owner, amount)
    extcall ICompliance(self.compliance).destroyed(owner, amount)


@internal
def _thaw(owner: address, amount: uint256):
    """
    @notice Unfreezes what has to be taken of the frozen part of a balance.
    """
    balance: uint256 = erc20.balanceOf[owner]
    assert amount <= balance, "mining_sto: amount exceeds the balance"
    frozen_balances._thaw(owner, amount, balance)


@internal
def _register_successor(lost: address, new: address, identity: address):
    """
    @notice Makes sure that the new wallet is registered with the lost one's identity.
    """
    registry: IIdentityRegistry = IIdentityRegistry(self.identityRegistry)
    known: bool = identity != empty(address) and staticcall registry.identity(lost) == identity
    assert known, "mining_sto: lost wallet has another identity"
    if not staticcall registry.contains(new):
        extcall registry.registerIdentity(new, identity, staticcall registry.investorCountry(lost))
    assert staticcall registry.identity(new) == identity, "mining_sto: new wallet has another identity"
    self._check_verified(new)


@internal
def _tell_compliance(lost: address, new: address):
    """
    @notice Tells the compliance of a recovery, if it wants to know: the standard has no
            call for it.
    @dev One that runs out of gas has not refused: the recovery must not go on without
         lock-up, stake and reservation.
    """
    success: bool = raw_call(
        self.compliance,
        abi_encode(lost, new, method_id=method_id("wallet_recovered(address,address)")),
        revert_on_failure=False,
    )
    assert success or msg.gas >= _GAS_AFTER_REFUSAL, "mining_sto: too little gas"


@internal
def _set_identity_registry(identity_registry: address):
    """
    @notice Stores the registry.
    """
    assert identity_registry != empty(address), "mining_sto: identity registry is the zero address"
    self.identityRegistry = identity_registry
    log IdentityRegistryAdded(_identityRegistry=identity_registry)


@internal
def _set_compliance(compliance: address):
    """
    @notice Stores the compliance and binds this token to it.
    """
    assert compliance != empty(address), "mining_sto: compliance is the zero address"
    self.compliance = compliance
    extcall ICompliance(compliance).bindToken(self)
    log ComplianceAdded(_compliance=compliance)


@internal
def _set_mine_operator(mine_operator: address):
    """
    @notice Stores who pays profit.
    """
    assert mine_operator != empty(address), "mining_sto: operator is the zero address"
    self.mine_operator = mine_operator
    log MineOperatorSet(mine_operator=mine_operator)


@internal
def _set_auditor(auditor: address):
    """
    @notice Stores who records revenue.
    """
    assert auditor != empty(address), "mining_sto: auditor is the zero address"
    self.auditor = auditor
    log AuditorSet(auditor=auditor)


@internal
def _log_information():
    """
    @notice Logs name, symbol and identity as they are now.
    """
    log UpdatedTokenInformation(
        _newName=self.name,
        _newSymbol=self.symbol,
        _newDecimals=18,
        _newVersion=version,
        _newOnchainID=self.onchainID,
    )


@internal
@view
def _accumulative_funds(account: address) -> uint256:
    """
    @notice Returns all that an account has earned, in units of the funds token.
    """
    return dividend_stream._accumulative_now(account, erc20.balanceOf[account], erc20.totalSupply)


@internal
@view
def _check_verified(account: address):
    """
    @notice Reverts unless the registry knows the account as verified.
    """
    verified: bool = staticcall IIdentityRegistry(self.identityRegistry).isVerified(account)
    assert verified, "mining_sto: receiver is not verified"


@internal
@view
def _check_not_paused():
    """
    @notice Reverts while transfers are stopped.
    """
    assert not self.paused, "mining_sto: paused"


@internal
@view
def _check_payer():
    """
    @notice Reverts unless the operator or an agent calls.
    """
    payer: bool = msg.sender == self.mine_operator or agent_role.isAgent[msg.sender]
    assert payer, "mining_sto: caller is neither operator nor agent"


@internal
@pure
def _check_lengths(first: uint256, second: uint256):
    """
    @notice Reverts unless two lists of a batch are equally long.
    """
    assert first == second, "mining_sto: lists differ in length"
