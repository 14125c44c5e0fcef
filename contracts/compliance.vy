# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Compliance of a Security Token (ERC-3643)
@custom:contract-name compliance
@license GNU Affero General Public License v3.0 only
@notice The rules of an offering: a cap on what one identity holds over all its wallets,
        countries that may not receive, and lock-ups by wallet, as amount and date.
        Forced transfers and recoveries skip the rules and are counted all the same.
        Tokens that are paid for and not handed out yet are reserved: they count from
        the payment on, so that nothing that comes in between can take their room.
@dev A custodian, a staking contract for instance, holds for others: tokens entrusted
     to it still count for the identity of the wallet that gave them, and may always
     come back to that wallet, whatever its country and the cap say by then. Tokens that
     are sent to a custodian without its knowing count for their sender for good.
     A mint uses up what is reserved for its receiver first, and the cap stops only what
     goes beyond; a compliance that takes another's place knows none of its reservations.
     Held tokens are booked under the identity that a wallet had when it was last seen.
     The registry tells of changes through `sync`; without that a change of identity
     counts from the wallet's next movement on. Amounts are in token wei.
"""


from ethereum.ercs import IERC20


from snekmate.auth import ownable
initializes: ownable


from .interfaces import ICompliance
implements: ICompliance


from .interfaces import IIdentityRegistry


exports: ownable.owner


interface IToken:
    def identityRegistry() -> address: view
    def isAgent(account: address) -> bool: view


struct Lockup:
    amount: uint256
    until: uint256


# @dev The only token that may report movements; zero while none is bound.
getTokenBound: public(address)


# @dev The most that one identity may hold or have entrusted, in token wei.
max_balance: public(uint256)


# @dev Whether wallets of a country may not receive, by numeric ISO 3166-1 code.
is_country_forbidden: public(HashMap[uint16, bool])


# @dev The amount of a wallet that stays until a date, Unix seconds.
lockup_of: public(HashMap[address, Lockup])


# @dev Whether a wallet holds for others.
is_custodian: public(HashMap[address, bool])


# @dev What an identity holds over all wallets, with what they have entrusted and what is
# reserved for them.
held_by: public(HashMap[address, uint256])


# @dev What a wallet has entrusted to custodians.
entrusted_by: public(HashMap[address, uint256])


# @dev What a wallet has paid for and not received yet.
reserved_for: public(HashMap[address, uint256])


# @dev The identity under which a wallet's tokens are booked.
_booked: HashMap[address, address]


# @dev The token that was bound last; zero while none ever was.
_last_token: address


event TokenBound:
    _token: address


event TokenUnbound:
    _token: address


event MaxBalanceSet:
    max_balance: uint256


event CountrySet:
    country: indexed(uint16)
    is_forbidden: bool


event LockupSet:
    wallet: indexed(address)
    amount: uint256
    until: uint256


event CustodianSet:
    wallet: indexed(address)
    is_custodian: bool


event ReservationSet:
    wallet: indexed(address)
    amount: uint256


@deploy
def __init__():
    """
    @notice Deploys without a token and without a rule; the deployer is owner.
    """
    ownable.__init__()
    self.max_balance = max_value(uint256)


@external
def transferOwnership(_newOwner: address):
    """
    @notice Hands on the ownership; owner only.
    @param _newOwner The 20-byte address of the new owner.
    """
    ownable._check_owner()
    assert _newOwner != empty(address), "compliance: owner is the zero address"
    ownable._transfer_ownership(_newOwner)


@external
def bindToken(_token: address):
    """
    @notice Sets the token that reports its movements; the owner, or a token itself while
            no other ever was.
    @dev A stranger's token that was bound for a while may have left false books behind:
         none that comes after it binds itself to them. Nothing is logged where the token
         is bound already.
    @param _token The 20-byte address of the token.
    """
    untouched: bool = self._last_token == empty(address) or self._last_token == _token
    assert msg.sender == ownable.owner or (untouched and msg.sender == _token), "compliance: caller may not bind"
    assert _token != empty(address), "compliance: token is the zero address"
    if _token == self.getTokenBound:
        return
    self.getTokenBound = _token
    self._last_token = _token
    log TokenBound(_token=_token)


@external
def unbindToken(_token: address):
    """
    @notice Lets go of the token; the owner or the token itself.
    @param _token The 20-byte address of the token.
    """
    assert msg.sender == ownable.owner or msg.sender == _token, "compliance: caller may not unbind"
    assert _token != empty(address), "compliance: token is the zero address"
    assert _token == self.getTokenBound, "compliance: token is not bound"
    self.getTokenBound = empty(address)
    log TokenUnbound(_token=_token)


@external
def set_max_balance(max_balance: uint256):
    """
    @notice Sets the cap of an identity; owner only.
    @dev Who holds more keeps it and can receive no more.
    @param max_balance Token wei; the greatest uint256 = no cap.
    """
    ownable._check_owner()
    self.max_balance = max_balance
    log MaxBalanceSet(max_balance=max_balance)


@external
def set_country_forbidden(country: uint16, is_forbidden: bool):
    """
    @notice Forbids a country to receive, or allows it again; owner only.
    @param country The numeric ISO 3166-1 code.
    @param is_forbidden Whether its wallets may not receive.
    """
    ownable._check_owner()
    self.is_country_forbidden[country] = is_forbidden
    log CountrySet(country=country, is_forbidden=is_forbidden)


@external
def set_lockup(wallet: address, amount: uint256, until: uint256):
    """
    @notice Makes a wallet keep an amount until a date; owner only.
    @param wallet The 20-byte address of the wallet.
    @param amount Token wei.
    @param until Unix seconds; from then on all is free.
    """
    ownable._check_owner()
    self._set_lockup(wallet, amount, until)


@external
def set_custodian(wallet: address, is_custodian: bool):
    """
    @notice Says whether a wallet holds for others; owner only, while it is empty and has
            not paid for tokens.
    @param wallet The 20-byte address of the wallet.
    @param is_custodian Whether what it holds counts for those who gave it.
    """
    ownable._check_owner()
    assert self._balance(wallet) == 0, "compliance: custodian holds tokens"
    assert self.reserved_for[wallet] == 0, "compliance: tokens are reserved for the wallet"
    self.is_custodian[wallet] = is_custodian
    log CustodianSet(wallet=wallet, is_custodian=is_custodian)


@external
def reserve(wallet: address, amount: uint256):
    """
    @notice Counts tokens that a wallet has paid for; agents of the token only.
    @dev Checks no rule: the one who sells asks `canTransfer` for all that is reserved and
         the new tokens together.
    @param wallet The 20-byte address of the wallet that will receive them.
    @param amount Token wei.
    """
    assert self._is_agent(msg.sender), "compliance: caller is not an agent of the token"
    assert not self.is_custodian[wallet], "compliance: wallet holds for others"
    identity: address = self._book(wallet, self._balance(wallet))
    self.held_by[identity] += amount
    self._set_reservation(wallet, self.reserved_for[wallet] + amount)


@external
def release(wallet: address, amount: uint256):
    """
    @notice Lets go of tokens that a wallet will not receive; agents of the token and the
            owner.
    @dev No more than is reserved, not a revert: it may have been lost with a change of
         compliance, and who takes his money back must not be stopped.
    @param wallet The 20-byte address of the wallet.
    @param amount Token wei.
    """
    is_trusted: bool = msg.sender == ownable.owner or self._is_agent(msg.sender)
    assert is_trusted, "compliance: caller is neither agent nor owner"
    reserved: uint256 = self.reserved_for[wallet]
    released: uint256 = min(amount, reserved)
    if released == 0:
        return
    self._take(self._book(wallet, self._balance(wallet)), released)
    self._set_reservation(wallet, reserved - released)


@external
def transferred(_from: address, _to: address, _amount: uint256):
    """
    @notice Counts a transfer that has happened; the token only.
    @dev Subtractions stop at zero: a token that was bound elsewhere for a while must
         not be stopped by books that missed its movements.
    @param _from The 20-byte address of the sender.
    @param _to The 20-byte address of the receiver.
    @param _amount Token wei.
    """
    self._check_token()
    if _from == _to:
        return
    gives_back: bool = self.is_custodian[_from]
    if self.is_custodian[_to]:
        if not gives_back:
            self._book(_from, self._balance(_from) + _amount)
            self.entrusted_by[_from] += _amount
        return
    receiver: address = self._book(_to, self._balance(_to) - _amount)
    if gives_back:
        returned: uint256 = min(_amount, self.entrusted_by[_to])
        self.entrusted_by[_to] -= returned
        self.held_by[receiver] += _amount - returned
        return
    sender: address = self._book(_from, self._balance(_from) + _amount)
    if sender != receiver:
        self._take(sender, _amount)
        self.held_by[receiver] += _amount


@external
def created(_to: address, _amount: uint256):
    """
    @notice Counts tokens that have been minted, reserved ones first; the token only.
    @param _to The 20-byte address of the receiver.
    @param _amount Token wei.
    """
    self._check_token()
    if self.is_custodian[_to]:
        return
    receiver: address = self._book(_to, self._balance(_to) - _amount)
    reserved: uint256 = self.reserved_for[_to]
    handed_out: uint256 = min(_amount, reserved)
    self.held_by[receiver] += _amount - handed_out
    if handed_out != 0:
        self._set_reservation(_to, reserved - handed_out)


@external
def destroyed(_from: address, _amount: uint256):
    """
    @notice Counts tokens that have been burned; the token only.
    @param _from The 20-byte address that held them.
    @param _amount Token wei.
    """
    self._check_token()
    if self.is_custodian[_from]:
        return
    self._take(self._book(_from, self._balance(_from) + _amount), _amount)


@external
def wallet_recovered(lost: address, new: address):
    """
    @notice Hands on lock-up, entrusted and reserved tokens of a recovered wallet; the
            token only.
    @param lost The 20-byte address of the lost wallet.
    @param new The 20-byte address of the wallet of the same identity.
    """
    self._check_token()
    self.entrusted_by[new] += self.entrusted_by[lost]
    self.entrusted_by[lost] = 0
    reserved: uint256 = self.reserved_for[lost]
    if reserved != 0:
        self._set_reservation(lost, 0)
        self._set_reservation(new, self.reserved_for[new] + reserved)
    old: Lockup = self.lockup_of[lost]
    if block.timestamp < old.until:
        own: Lockup = self.lockup_of[new]
        own_amount: uint256 = own.amount if block.timestamp < own.until else 0
        # "All, for ever" may be written as the greatest number.
        amount: uint256 = old.amount + min(own_amount, max_value(uint256) - old.amount)
        self._set_lockup(new, amount, max(old.until, own.until))
        self._set_lockup(lost, 0, 0)


@external
def sync(wallet: address):
    """
    @notice Books what a wallet holds under its present identity; anyone may ask for it.
    @param wallet The 20-byte address of the wallet.
    """
    if self.getTokenBound != empty(address) and not self.is_custodian[wallet]:
        self._book(wallet, self._balance(wallet))


@external
@view
def isTokenBound(_token: address) -> bool:
    """
    @notice Returns whether this is the token that reports its movements.
    @param _token The 20-byte address of the token.
    @return bool Whether it is bound.
    """
    return _token == self.getTokenBound


@external
@view
def canTransfer(_from: address, _to: address, _amount: uint256) -> bool:
    """
    @notice Returns whether the rules allow a transfer, or a mint from the zero address.
    @param _from The 20-byte address of the sender.
    @param _to The 20-byte address of the receiver.
    @param _amount Token wei.
    @return bool Whether no rule is broken.
    """
    return len(self._refusal(_from, _to, _amount)) == 0


@external
@view
def refusal_of(_from: address, _to: address, _amount: uint256) -> String[64]:
    """
    @notice Returns why the rules do not allow a transfer, or nothing where they do.
    @param _from The 20-byte address of the sender.
    @param _to The 20-byte address of the receiver.
    @param _amount Token wei.
    @return String The rule.
    """
    return self._refusal(_from, _to, _amount)


@internal
@view
def _refusal(sender: address, receiver: address, amount: uint256) -> String[64]:
    """
    @notice Returns the first rule that a transfer would break, or nothing.
    """
    if self.getTokenBound == empty(address):
        return "compliance: no token is bound"
    if sender == receiver:
        return ""
    if self._is_locked(sender, amount):
        return "compliance: tokens are locked up"
    if self.is_custodian[receiver]:
        return ""
    acquired: uint256 = amount
    if sender == empty(address):
        acquired -= min(amount, self.reserved_for[receiver])
    elif self.is_custodian[sender]:
        acquired -= min(amount, self.entrusted_by[receiver])
        if acquired == 0:
            return ""
    registry: IIdentityRegistry = self._registry()
    if self.is_country_forbidden[staticcall registry.investorCountry(receiver)]:
        return "compliance: country is forbidden"
    if acquired == 0:
        return ""
    identity: address = staticcall registry.identity(receiver)
    if sender != empty(address) and self._booked[sender] == identity and not self.is_custodian[sender]:
        return ""
    held: uint256 = self.held_by[identity]
    if self._booked[receiver] != identity:
        # What the wallet has was never booked here, or under an identity that it had before.
        held += self._balance(receiver) + self.entrusted_by[receiver] + self.reserved_for[receiver]
    if held > self.max_balance or acquired > self.max_balance - held:
        return "compliance: identity would exceed its cap"
    return ""


@internal
@view
def _is_locked(sender: address, amount: uint256) -> bool:
    """
    @notice Returns whether sending `amount` would leave less than what is locked up.
    """
    lockup: Lockup = self.lockup_of[sender]
    if block.timestamp >= lockup.until:
        return False
    balance: uint256 = self._balance(sender)
    return balance < amount or balance - amount < lockup.amount


@internal
def _book(wallet: address, balance: uint256) -> address:
    """
    @notice Books a wallet's tokens under its present identity, and returns that.
    @dev A wallet that is no longer registered stays with its last identity.
    @param wallet The 20-byte address of the wallet.
    @param balance What it held up to now, in token wei.
    @return address The identity; zero for a wallet that never had one.
    """
    booked: address = self._booked[wallet]
    identity: address = staticcall self._registry().identity(wallet)
    if identity == booked or identity == empty(address):
        return booked
    total: uint256 = balance + self.entrusted_by[wallet] + self.reserved_for[wallet]
    self._take(booked, total)
    self.held_by[identity] += total
    self._booked[wallet] = identity
    return identity


@internal
def _take(identity: address, amount: uint256):
    """
    @notice Lowers what an identity holds, to zero at least.
    """
    held: uint256 = self.held_by[identity]
    if held != 0:
        self.held_by[identity] = held - min(held, amount)


@internal
def _set_lockup(wallet: address, amount: uint256, until: uint256):
    """
    @notice Stores a lock-up.
    """
    self.lockup_of[wallet] = Lockup(amount=amount, until=until)
    log LockupSet(wallet=wallet, amount=amount, until=until)


@internal
def _set_reservation(wallet: address, amount: uint256):
    """
    @notice Stores what is reserved for a wallet.
    """
    self.reserved_for[wallet] = amount
    log ReservationSet(wallet=wallet, amount=amount)


@internal
@view
def _is_agent(account: address) -> bool:
    """
    @notice Returns whether an account is an agent of the bound token; no while none is.
    """
    if self.getTokenBound == empty(address):
        return False
    return staticcall IToken(self.getTokenBound).isAgent(account)


@internal
@view
def _balance(wallet: address) -> uint256:
    """
    @notice Returns what a wallet holds now; zero while no token is bound.
    """
    if self.getTokenBound == empty(address):
        return 0
    return staticcall IERC20(self.getTokenBound).balanceOf(wallet)


@internal
@view
def _registry() -> IIdentityRegistry:
    """
    @notice Returns the registry that the token uses now.
    """
    return IIdentityRegistry(staticcall IToken(self.getTokenBound).identityRegistry())


@internal
@view
def _check_token():
    """
    @notice Reverts unless the bound token calls.
    """
    assert msg.sender == self.getTokenBound, "compliance: caller is not the token"
