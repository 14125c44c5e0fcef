# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Primary Raise of a Security Token
@custom:contract-name sto_raise
@license GNU Affero General Public License v3.0 only
@notice Sells a security token for USDC between two dates. Below the soft cap everyone
        gets everything back. From the soft cap on, buyers get their tokens, and what was
        paid for tokens that are handed out goes to the mine part by part, as a verifier
        confirms its milestones; what no milestone has released by a date goes back to
        the holders, through the token's own stream and booked there as return of capital.
@dev Amounts are units of the funds token (1e6 = one dollar) and token wei. Every unit
     that was paid in leaves by exactly one of three ways: refunded, released, returned.
     The mine gets nothing of a purchase before its tokens are handed out, so whoever may
     not receive them can have back all that he paid: he himself while he may not, and
     anyone for him once claims have ended, which they do with the milestones.
     No buyer brings that about himself: his tokens are reserved from the payment on, and
     verification, country and agents are not his to change. Profit that flows before a
     claim is the others', so anyone may claim for anyone.
     The contract must be an agent of the token, and the token's compliance must know
     reservations. A buyer whose wallet the token recovers is paid at his new wallet.
     Trust: the verifier decides when the mine gets money, never how much or who. What
     agents and owner of the token refuse a buyer costs the mine his payment, even below
     the soft cap, which was judged at the close.
"""


from ethereum.ercs import IERC20


from .interfaces import ICompliance
from .interfaces import IIdentityRegistry


from .modules import asset_token
from .modules import compliance_check


interface ISecurityToken:
    def funds_token() -> address: view
    def identityRegistry() -> address: view
    def compliance() -> address: view
    def recovered_to(lost: address) -> address: view
    def isAgent(account: address) -> bool: view
    def mint(_to: address, _amount: uint256): nonpayable
    def return_capital(amount: uint256): nonpayable


interface IReservations:
    def reserved_for(wallet: address) -> uint256: view
    def reserve(wallet: address, amount: uint256): nonpayable


# @dev Greatest number of milestones.
_MAX_MILESTONES: constant(uint256) = 12


# @dev Greatest number of recoveries of one wallet that is followed.
_MAX_RECOVERIES: constant(uint256) = 32


# @dev 100 %.
_BPS: constant(uint256) = 10_000


# @dev One token.
_WAD: constant(uint256) = 10**18


# @dev The security token that is sold.
token: public(immutable(address))


# @dev The token in which it is paid.
funds_token: public(immutable(address))


# @dev Receives what milestones release.
mine: public(immutable(address))


# @dev Confirms milestones.
verifier: public(immutable(address))


# @dev Units of the funds token for one whole security token.
price: public(immutable(uint256))


# @dev Below this the raise has failed.
soft_cap: public(immutable(uint256))


# @dev No more is taken than this.
hard_cap: public(immutable(uint256))


# @dev From when and until when payments are taken, Unix seconds.
opens: public(immutable(uint256))
closes: public(immutable(uint256))


# @dev Until when tokens are claimed and milestones confirmed, Unix seconds.
milestones_end: public(immutable(uint256))


# @dev The part that each milestone releases (10,000 = 100 %).
milestones: public(DynArray[uint256, _MAX_MILESTONES])


# @dev All payments.
raised: public(uint256)


# @dev What was paid for the tokens that are handed out.
sold: public(uint256)


# @dev What the mine has received.
released: public(uint256)


# @dev What buyers have received back.
refunded: public(uint256)


# @dev What went back to the holders because no milestone released it in time.
returned: public(uint256)


# @dev The number of milestones confirmed so far.
confirmed_milestones: public(uint256)


# @dev The part that they release together (10,000 = 100 %).
confirmed_bps: public(uint256)


# @dev Whether the raise is closed, and whether it reached its soft cap.
is_closed: public(bool)
has_succeeded: public(bool)


# @dev What a wallet paid and has neither turned into tokens nor got back.
paid_by: public(HashMap[address, uint256])


event Contributed:
    buyer: indexed(address)
    amount: uint256
    tokens: uint256


event RaiseClosed:
    has_succeeded: bool
    raised: uint256


event TokensClaimed:
    buyer: indexed(address)
    receiver: indexed(address)
    tokens: uint256


event Refunded:
    buyer: indexed(address)
    receiver: indexed(address)
    amount: uint256


event MilestoneReleased:
    milestone: indexed(uint256)
    amount: uint256


event MinePaid:
    amount: uint256


event UnreleasedReturned:
    amount: uint256


@deploy
def __init__(
    token_: address,
    mine_: address,
    verifier_: address,
    price_: uint256,
    soft_cap_: uint256,
    hard_cap_: uint256,
    opens_: uint256,
    closes_: uint256,
    milestones_: DynArray[uint256, _MAX_MILESTONES],
    milestones_end_: uint256,
):
    """
    @notice Deploys a raise whose terms never change.
    @param token_ The 20-byte address of the security token.
    @param mine_ The 20-byte address that milestones pay.
    @param verifier_ The 20-byte address that confirms milestones.
    @param price_ Units of the funds token for one whole token, above zero.
    @param soft_cap_ The least that must come together, above zero.
    @param hard_cap_ The most that is taken, at least the soft cap.
    @param opens_ From when payments are taken, Unix seconds.
    @param closes_ Until when payments are taken, Unix seconds.
    @param milestones_ The part that each milestone releases, together 10,000 (100 %).
    @param milestones_end_ Until when tokens are claimed and milestones confirmed, Unix
           seconds.
    """
    assert token_ != empty(address), "sto_raise: token is the zero address"
    assert mine_ != empty(address), "sto_raise: mine is the zero address"
    assert verifier_ != empty(address), "sto_raise: verifier is the zero address"
    assert price_ != 0, "sto_raise: price is zero"
    assert soft_cap_ != 0, "sto_raise: soft cap is zero"
    assert soft_cap_ <= hard_cap_, "sto_raise: soft cap above hard cap"
    assert opens_ < closes_, "sto_raise: closes before it opens"
    assert closes_ < milestones_end_, "sto_raise: milestones end before it closes"
    total_bps: uint256 = 0
    for part_bps: uint256 in milestones_:
        assert part_bps != 0, "sto_raise: milestone without a part"
        total_bps += part_bps
    assert total_bps == _BPS, "sto_raise: milestones are not 100 %"
    token = token_
    funds_token = staticcall ISecurityToken(token_).funds_token()
    mine = mine_
    verifier = verifier_
    price = price_
    soft_cap = soft_cap_
    hard_cap = hard_cap_
    opens = opens_
    closes = closes_
    milestones_end = milestones_end_
    self.milestones = milestones_


@external
@nonreentrant
def contribute(amount: uint256):
    """
    @notice Takes a payment from a verified wallet, as far as the compliance would let it
            receive the tokens, and reserves them.
    @dev Tokens round down, in favour of the issue, by less than a wei for each wallet.
    @param amount Units of the funds token.
    """
    assert block.timestamp >= opens, "sto_raise: not open yet"
    assert block.timestamp < closes and not self.is_closed, "sto_raise: closed"
    assert amount <= hard_cap - self.raised, "sto_raise: exceeds the hard cap"
    tokens: uint256 = self._tokens_for(amount)
    assert tokens != 0, "sto_raise: too little for a token wei"
    self._reserve(amount)
    received: uint256 = asset_token._pull(funds_token, msg.sender, amount)
    assert received == amount, "sto_raise: payment has not arrived in full"
    self.raised += amount
    self.paid_by[msg.sender] += amount
    log Contributed(buyer=msg.sender, amount=amount, tokens=tokens)


@external
def close():
    """
    @notice Closes the raise at its date, or once the hard cap is reached; anyone may.
    """
    assert not self.is_closed, "sto_raise: closed"
    assert block.timestamp >= closes or self.raised == hard_cap, "sto_raise: still open"
    self.is_closed = True
    self.has_succeeded = self.raised >= soft_cap
    log RaiseClosed(has_succeeded=self.has_succeeded, raised=self.raised)


@external
@nonreentrant
def claim(buyer: address):
    """
    @notice Mints the tokens of a buyer to him; anyone may ask for it until the milestones
            end.
    @param buyer The 20-byte address that paid.
    """
    self._check_succeeded()
    assert block.timestamp < milestones_end, "sto_raise: claims have ended"
    amount: uint256 = self._settle(buyer)
    self.sold += amount
    tokens: uint256 = self._tokens_for(amount)
    receiver: address = self._receiver(buyer)
    extcall ISecurityToken(token).mint(receiver, tokens)
    log TokensClaimed(buyer=buyer, receiver=receiver, tokens=tokens)


@external
@nonreentrant
def refund(buyer: address):
    """
    @notice Pays a buyer all that he paid. If the raise has failed, or claims have ended,
            anyone may ask for it; before, the buyer alone, while he may not receive.
    @dev A stranger may not: a wallet can be off the registry for a moment only.
    @param buyer The 20-byte address that paid.
    """
    assert self.is_closed, "sto_raise: still open"
    amount: uint256 = self._settle(buyer)
    receiver: address = self._receiver(buyer)
    tokens: uint256 = self._tokens_for(amount)
    if self.has_succeeded and block.timestamp < milestones_end:
        assert msg.sender == receiver, "sto_raise: caller is not the buyer"
        assert self._may_not_receive(receiver, tokens), "sto_raise: tokens can be claimed"
    self.refunded += amount
    self._release_reservation(receiver, tokens)
    asset_token._push(funds_token, receiver, amount)
    log Refunded(buyer=buyer, receiver=receiver, amount=amount)


@external
@nonreentrant
def release_milestone():
    """
    @notice Confirms the next milestone and pays the mine its part of what was paid for
            tokens handed out so far; verifier only.
    @dev A funds token that is paused, or that bars mine or raise, does not stop the
         confirmation, which has its date: `pay_mine` has none.
    """
    assert msg.sender == verifier, "sto_raise: caller is not the verifier"
    self._check_succeeded()
    assert block.timestamp < milestones_end, "sto_raise: milestones have ended"
    milestone: uint256 = self.confirmed_milestones
    assert milestone < len(self.milestones), "sto_raise: all milestones are released"
    self.confirmed_milestones = milestone + 1
    self.confirmed_bps += self.milestones[milestone]
    is_stopped: bool = asset_token._is_stopped(funds_token, mine) or asset_token._is_stopped(funds_token, self)
    amount: uint256 = 0 if is_stopped else self._pay_mine()
    log MilestoneReleased(milestone=milestone, amount=amount)


@external
@nonreentrant
def pay_mine():
    """
    @notice Pays the mine the confirmed milestones' part of what has been claimed since
            they were confirmed; anyone may ask for it.
    """
    amount: uint256 = self._pay_mine()
    assert amount != 0, "sto_raise: nothing is due"
    log MinePaid(amount=amount)


@external
@nonreentrant
def return_unreleased():
    """
    @notice Streams what of the tokens' price no milestone has released in time to the
            holders, as return of capital; anyone may ask for it, once.
    """
    self._check_succeeded()
    assert block.timestamp >= milestones_end, "sto_raise: milestones have not ended"
    amount: uint256 = self.sold - self._for_mine() - self.returned
    assert amount != 0, "sto_raise: nothing is left"
    self.returned += amount
    assert extcall IERC20(funds_token).approve(token, amount), "sto_raise: approval failed"
    extcall ISecurityToken(token).return_capital(amount)
    log UnreleasedReturned(amount=amount)


@external
@view
def milestone_count() -> uint256:
    """
    @notice Returns the number of milestones.
    @return uint256 The number.
    """
    return len(self.milestones)


@external
@view
def tokens_for(amount: uint256) -> uint256:
    """
    @notice Returns the tokens that a payment buys.
    @param amount Units of the funds token.
    @return uint256 Token wei, rounded down.
    """
    return self._tokens_for(amount)


@internal
def _reserve(amount: uint256):
    """
    @notice Reserves the tokens that the caller pays for with `amount` more; reverts unless
            he may hold them.
    @dev Not for a wallet that was recovered: its tokens would be its successor's. What is
         reserved for the wallet may be another sale's, or a lost wallet's that it took
         over from: a mint may use that up, so the question goes beyond all of it.
    """
    is_current: bool = self._receiver(msg.sender) == msg.sender
    assert is_current, "sto_raise: wallet was recovered"
    assert staticcall ISecurityToken(token).isAgent(self), "sto_raise: raise is not an agent of the token"
    assert self._is_verified(msg.sender), "sto_raise: buyer is not verified"
    paid: uint256 = self.paid_by[msg.sender]
    bought: uint256 = self._tokens_for(paid)
    tokens: uint256 = self._tokens_for(paid + amount) - bought
    rules: address = staticcall ISecurityToken(token).compliance()
    due: uint256 = max(bought, staticcall IReservations(rules).reserved_for(msg.sender))
    compliance_check._check(rules, empty(address), msg.sender, due + tokens)
    extcall IReservations(rules).reserve(msg.sender, tokens)


@internal
def _release_reservation(wallet: address, tokens: uint256):
    """
    @notice Lets go of a buyer's reservation, if the compliance still has it: whatever it
            says, the money goes back.
    @dev Before the payment, which takes more gas than a caller could leave here by letting
         this call run out of it.
    """
    success: bool = raw_call(
        staticcall ISecurityToken(token).compliance(),
        abi_encode(wallet, tokens, method_id=method_id("release(address,uint256)")),
        revert_on_failure=False,
    )


@internal
def _pay_mine() -> uint256:
    """
    @notice Pays the mine what it is due and returns that, which may be nothing.
    """
    amount: uint256 = self._for_mine() - self.released
    self.released += amount
    if amount != 0:
        asset_token._push(funds_token, mine, amount)
    return amount


@internal
def _settle(buyer: address) -> uint256:
    """
    @notice Books what a buyer paid as settled and returns it.
    """
    amount: uint256 = self.paid_by[buyer]
    assert amount != 0, "sto_raise: nothing to settle"
    self.paid_by[buyer] = 0
    return amount


@internal
@view
def _receiver(buyer: address) -> address:
    """
    @notice Returns the wallet of a buyer, or the last one that took over from it.
    @dev No wallet that was lost takes over from another, so there is an end.
    """
    receiver: address = buyer
    for i: uint256 in range(_MAX_RECOVERIES):
        successor: address = staticcall ISecurityToken(token).recovered_to(receiver)
        if successor == empty(address):
            return receiver
        receiver = successor
    raise "sto_raise: too many recoveries"


@internal
@view
def _may_not_receive(receiver: address, tokens: uint256) -> bool:
    """
    @notice Returns whether the token would refuse to create a buyer's tokens now.
    """
    if not staticcall ISecurityToken(token).isAgent(self) or not self._is_verified(receiver):
        return True
    rules: ICompliance = ICompliance(staticcall ISecurityToken(token).compliance())
    return not staticcall rules.canTransfer(empty(address), receiver, tokens)


@internal
@view
def _is_verified(wallet: address) -> bool:
    """
    @notice Returns whether the token's registry knows a wallet as verified.
    """
    registry: IIdentityRegistry = IIdentityRegistry(staticcall ISecurityToken(token).identityRegistry())
    return staticcall registry.isVerified(wallet)


@internal
@view
def _for_mine() -> uint256:
    """
    @notice Returns what confirmed milestones release of what was paid for the tokens that
            are handed out, rounded down; all of it once all are confirmed.
    """
    return self.sold * self.confirmed_bps // _BPS


@internal
@view
def _check_succeeded():
    """
    @notice Reverts unless the raise is closed and has reached its soft cap.
    """
    assert self.has_succeeded, "sto_raise: has not succeeded"


@internal
@view
def _tokens_for(amount: uint256) -> uint256:
    """
    @notice Returns the tokens that a payment buys, rounded down.
    """
    return amount * _WAD // price
