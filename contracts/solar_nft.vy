# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Solar Panels as Tokens
@custom:contract-name solar_nft
@license GNU Affero General Public License v3.0 only
@notice Each token (ERC-721) stands for a panel, or for an array that was sold as one. Its
        owner has three rights. Revenue: what the operator pays in is shared by the energy
        that meters report, period by period. A bonus: who locks his token, so that it can
        be neither sold nor unlocked for a time, shares what somebody has paid in for that.
        Silver: once the operator has retired the panel, its owner claims the silver in it,
        once, at the recovery rate and the feed's price, in USDC.
@dev Energy is in millionths of a kWh (1e6 = 1 kWh), USDC has 6 decimals, silver is in
     milligrams, rates are in basis points (10,000 = 100 %).
     Who is paid: revenue of a period belongs to who owns the token when the period is
     closed, a bonus to who owns it while it is locked. Both are credited to an account
     before the token moves, so a claim outlives a sale and stays the seller's. What is
     reported but not closed, and the silver, go with the token.
     Why silver is paid in USDC: nobody keeps bullion apart for a panel that runs for
     decades. A recycler buys the scrap, keeps what refining costs, and pays for the rest
     at the day's price; that money is the reserve, and a claim that it cannot pay in full
     is refused and stays open.
     Trust: the operator's meters say what was generated; the contract only refuses more
     than the rated power could give. He may also keep revenue for himself: nobody can see
     on chain what the energy was sold for.
"""


from ethereum.ercs import IERC165
implements: IERC165


from ethereum.ercs import IERC721
implements: IERC721


from snekmate.tokens.interfaces import IERC721Metadata
implements: IERC721Metadata


from snekmate.tokens.interfaces import IERC721Enumerable
implements: IERC721Enumerable


from snekmate.tokens.interfaces import IERC4906
implements: IERC4906


from snekmate.extensions.interfaces import IERC2981
implements: IERC2981


from .interfaces import IERC5192
implements: IERC5192


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc721
initializes: erc721[ownable := ownable]


from .modules import asset_token
from .modules import feed
from .modules import energy_revenue
initializes: energy_revenue
from .modules import lock_bonus
initializes: lock_bonus


exports: (
    ownable.owner,
    ownable.transfer_ownership,
    erc721.name,
    erc721.symbol,
    erc721.tokenURI,
    erc721.balanceOf,
    erc721.ownerOf,
    erc721.approve,
    erc721.getApproved,
    erc721.setApprovalForAll,
    erc721.isApprovedForAll,
    erc721.totalSupply,
    erc721.tokenByIndex,
    erc721.tokenOfOwnerByIndex,
    energy_revenue.open_period,
    energy_revenue.open_energy,
    energy_revenue.total_revenue,
    energy_revenue.total_claimed_revenue,
    lock_bonus.lock_seconds,
    lock_bonus.locked_watts,
    lock_bonus.bonus_end,
    lock_bonus.total_bonus,
    lock_bonus.total_claimed_bonus,
    lock_bonus.locks,
)


struct Panel:
    watts: uint256
    commissioned: uint256
    degradation_bps: uint256
    silver_mg: uint256
    status: uint256


# @dev ERC-165 identifiers: ERC-165, ERC-721, its metadata and enumeration, ERC-4906,
# ERC-2981, ERC-5192.
_SUPPORTED_INTERFACES: constant(bytes4[7]) = [
    0x01FFC9A7,
    0x80AC58CD,
    0x5B5E139F,
    0x780E9D63,
    0x49064906,
    0x2A55205A,
    0xB45A3C0E,
]


# @dev 100 % in basis points.
_BPS: constant(uint256) = 10_000


# @dev Statuses of a panel.
_ACTIVE: constant(uint256) = 1
_RETIRED: constant(uint256) = 2
_SILVER_CLAIMED: constant(uint256) = 3


# @dev The greatest array, and the most silver in a watt (cells of 2010 had some 50 mg).
_MAX_WATTS: constant(uint256) = 10**12
_MAX_SILVER_MG_PER_WATT: constant(uint256) = 100


# @dev Milligrams in a troy ounce, x 1e4, and from a price with 18 decimals to USDC.
_MG_PER_OUNCE: constant(uint256) = 311_034_768
_MG_SCALE: constant(uint256) = 10**4
_USDC_SCALE: constant(uint256) = 10**12


# @dev A watt for 3.6 seconds is a millionth of a kWh: seconds x 10 // 36.
_WATT_SECONDS: constant(uint256) = 36
_WATT_SCALE: constant(uint256) = 10
_YEAR: constant(uint256) = 31_536_000


# @dev The most tokens that one claim settles.
_MAX_IDS: constant(uint256) = 50


# @dev Pays revenue, bonus and silver.
usdc: public(immutable(address))


# @dev Price of silver in USD per troy ounce, and the greatest age of its answer while the
# market trades, in seconds.
silver_feed: public(immutable(address))
feed_max_age: public(immutable(uint256))


# @dev Share of a panel's silver that its owner is paid for.
recovery_bps: public(immutable(uint256))


# @dev Share of a sale's price that a market is asked to pass on, and to whom.
royalty_bps: public(immutable(uint256))
royalty_receiver: public(immutable(address))


# @dev Reports energy, closes periods and retires panels.
operator: public(address)


# @dev USDC that was paid in for silver and not paid out.
silver_reserve: public(uint256)


# @dev Panels by the number of their token; the first is 1.
_panels: HashMap[uint256, Panel]


# @dev When a panel's energy was last reported, Unix seconds.
_reported_at: HashMap[uint256, uint256]


event OperatorChanged:
    old: indexed(address)
    new: indexed(address)


event PanelCommissioned:
    token_id: indexed(uint256)
    watts: uint256
    commissioned: uint256
    degradation_bps: uint256
    silver_mg: uint256


event PanelRetired:
    token_id: indexed(uint256)


event SilverFunded:
    by: indexed(address)
    amount: uint256


event SilverClaimed:
    token_id: indexed(uint256)
    owner: indexed(address)
    amount: uint256
    price: uint256


event Claimed:
    account: indexed(address)
    revenue: uint256
    bonus: uint256


@deploy
def __init__(
    name_: String[25],
    symbol_: String[5],
    base_uri_: String[80],
    usdc_: address,
    silver_feed_: address,
    feed_max_age_: uint256,
    recovery_bps_: uint256,
    royalty_bps_: uint256,
    royalty_receiver_: address,
    lock_seconds_: uint256,
):
    """
    @notice Deploys without panels; the deployer is owner and operator.
    @param name_ The name of the collection.
    @param symbol_ Its symbol.
    @param base_uri_ What stands before a token's own URI.
    @param usdc_ The 20-byte address of the token with 6 decimals that all is paid in.
    @param silver_feed_ The 20-byte address of the price of an ounce of silver in USD
           (`AggregatorV3Interface`), up to 18 decimals.
    @param feed_max_age_ The greatest age of its answer while its market trades, in seconds.
    @param recovery_bps_ Share of the silver that is paid for (10,000 = 100 %).
    @param royalty_bps_ Share of a sale's price that is the royalty (10,000 = 100 %).
    @param royalty_receiver_ The 20-byte address that gets it.
    @param lock_seconds_ How long a lock holds, in seconds, above zero.
    """
    assert usdc_ != empty(address), "solar_nft: usdc is the zero address"
    assert silver_feed_ != empty(address), "solar_nft: silver feed is the zero address"
    assert recovery_bps_ <= _BPS, "solar_nft: recovery above 100 %"
    assert royalty_bps_ <= _BPS, "solar_nft: royalty above 100 %"
    assert royalty_receiver_ != empty(address), "solar_nft: royalty receiver is the zero address"
    ownable.__init__()
    erc721.__init__(name_, symbol_, base_uri_, name_, "1")
    energy_revenue.__init__()
    lock_bonus.__init__(lock_seconds_)
    usdc = usdc_
    silver_feed = silver_feed_
    feed_max_age = feed_max_age_
    recovery_bps = recovery_bps_
    royalty_bps = royalty_bps_
    royalty_receiver = royalty_receiver_
    self.operator = msg.sender
    log OperatorChanged(old=empty(address), new=msg.sender)


# ---------------------------------------------------------------------------- issuer


@external
def set_operator(operator_: address):
    """
    @notice Names who reports, closes and retires from now on; owner only.
    @param operator_ The 20-byte address of the new operator.
    """
    ownable._check_owner()
    assert operator_ != empty(address), "solar_nft: operator is the zero address"
    log OperatorChanged(old=self.operator, new=operator_)
    self.operator = operator_


@external
def commission(
    owner: address,
    watts: uint256,
    commissioned: uint256,
    degradation_bps: uint256,
    silver_mg: uint256,
    uri: String[432] = "",
) -> uint256:
    """
    @notice Creates the token of a panel; owner of the contract only.
    @param owner The 20-byte address that gets it.
    @param watts Rated power, above zero.
    @param commissioned When it went into service, Unix seconds, not in the future.
    @param degradation_bps Power that it loses a year, of the rated one (10,000 = 100 %).
    @param silver_mg Silver in it, in milligrams.
    @param uri What `tokenURI` shows behind the base URI; empty for the token's number.
    @return uint256 The number of the token.
    """
    ownable._check_owner()
    assert watts != 0, "solar_nft: panel of no watts"
    assert watts <= _MAX_WATTS, "solar_nft: too many watts"
    assert commissioned <= block.timestamp, "solar_nft: commissioned in the future"
    assert degradation_bps <= _BPS, "solar_nft: degradation above 100 %"
    assert silver_mg <= watts * _MAX_SILVER_MG_PER_WATT, "solar_nft: too much silver"
    token_id: uint256 = erc721._total_supply() + 1
    self._panels[token_id] = Panel(
        watts=watts,
        commissioned=commissioned,
        degradation_bps=degradation_bps,
        silver_mg=silver_mg,
        status=_ACTIVE,
    )
    self._reported_at[token_id] = block.timestamp
    log PanelCommissioned(
        token_id=token_id,
        watts=watts,
        commissioned=commissioned,
        degradation_bps=degradation_bps,
        silver_mg=silver_mg,
    )
    erc721._mint(owner, token_id)
    erc721._set_token_uri(token_id, uri)
    assert erc721._check_on_erc721_received(
        empty(address), owner, token_id, b""
    ), "solar_nft: receiver takes no tokens"
    return token_id


# -------------------------------------------------------------------------- operator


@external
def report_generation(token_id: uint256, kwh: uint256, period: uint256):
    """
    @notice Reports a panel's energy of the open period, once; operator only.
    @dev Refused is more than the rated power, less the degradation of its whole years,
         gives since the last report.
    @param token_id The panel.
    @param kwh Its energy (1e6 = 1 kWh); zero for a dark period.
    @param period The number of the open period.
    """
    self._check_operator()
    owner: address = erc721._owner_of(token_id)
    panel: Panel = self._panels[token_id]
    assert panel.status == _ACTIVE, "solar_nft: panel is retired"
    elapsed: uint256 = block.timestamp - self._reported_at[token_id]
    most: uint256 = self._power_bps(panel) * panel.watts * elapsed * _WATT_SCALE // (_BPS * _WATT_SECONDS)
    assert kwh <= most, "solar_nft: more than the panel can give"
    self._reported_at[token_id] = block.timestamp
    energy_revenue._report(token_id, owner, kwh, period)


@external
def close_period():
    """
    @notice Shares what was paid in by the energy of the open period, and opens the next
            one; operator only.
    """
    self._check_operator()
    energy_revenue._close()


@external
def retire(token_id: uint256):
    """
    @notice Takes a panel out of service; operator only. A lock ends with it; energy that
            was reported before is still paid.
    @param token_id The panel.
    """
    self._check_operator()
    owner: address = erc721._owner_of(token_id)
    assert self._panels[token_id].status == _ACTIVE, "solar_nft: panel is retired"
    self._panels[token_id].status = _RETIRED
    if self._is_locked(token_id):
        lock_bonus._unlock(token_id, owner)
        log IERC5192.Unlocked(tokenId=token_id)
    log PanelRetired(token_id=token_id)
    log IERC4906.MetadataUpdate(_tokenId=token_id)


# --------------------------------------------------------------------------- funding


@external
def deposit_revenue(amount: uint256):
    """
    @notice Pays revenue of the open period in; anybody may.
    @param amount USDC (6 decimals), above zero.
    """
    energy_revenue._deposit(usdc, amount)


@external
def fund_bonus(amount: uint256, duration: uint256):
    """
    @notice Pays a bonus in for locked panels; owner only, for it sets how long all flows.
    @param amount USDC (6 decimals), above zero.
    @param duration How long it flows, with what still flows, in seconds, above zero.
    """
    ownable._check_owner()
    lock_bonus._fund(usdc, amount, duration)


@external
def fund_silver(amount: uint256):
    """
    @notice Pays into the reserve for silver, as a recycler does; anybody may.
    @param amount USDC (6 decimals), above zero.
    """
    assert amount != 0, "solar_nft: nothing to fund"
    received: uint256 = asset_token._pull(usdc, msg.sender, amount)
    self.silver_reserve += received
    log SilverFunded(by=msg.sender, amount=received)


# ---------------------------------------------------------------------------- owners


@external
def claim(token_ids: DynArray[uint256, _MAX_IDS]) -> uint256:
    """
    @notice Pays the caller what his account and the named tokens have earned.
    @param token_ids Tokens of his to be settled; none for what is credited already.
    @return uint256 USDC paid (6 decimals), rounded down.
    """
    for token_id: uint256 in token_ids:
        assert erc721._owner_of(token_id) == msg.sender, "solar_nft: caller is not the owner"
        self._settle(token_id, msg.sender)
    revenue: uint256 = energy_revenue._take(msg.sender)
    bonus: uint256 = lock_bonus._take(msg.sender)
    if revenue + bonus != 0:
        asset_token._push(usdc, msg.sender, revenue + bonus)
    log Claimed(account=msg.sender, revenue=revenue, bonus=bonus)
    return revenue + bonus


@external
def lock(token_id: uint256):
    """
    @notice Locks a token of the caller for its share of the bonus: it cannot be sent until
            it is unlocked.
    @param token_id The token of a panel in service.
    """
    assert erc721._owner_of(token_id) == msg.sender, "solar_nft: caller is not the owner"
    assert self._panels[token_id].status == _ACTIVE, "solar_nft: panel is retired"
    lock_bonus._lock(token_id, self._panels[token_id].watts)
    log IERC5192.Locked(tokenId=token_id)


@external
def unlock(token_id: uint256):
    """
    @notice Unlocks a token of the caller once its lock is over; until he does so it earns.
    @param token_id The token.
    """
    assert erc721._owner_of(token_id) == msg.sender, "solar_nft: caller is not the owner"
    assert self._is_locked(token_id), "solar_nft: panel is not locked"
    assert block.timestamp >= lock_bonus.locks[token_id].until, "solar_nft: lock is not over"
    lock_bonus._unlock(token_id, msg.sender)
    log IERC5192.Unlocked(tokenId=token_id)


@external
def claim_silver(token_id: uint256) -> uint256:
    """
    @notice Pays the caller for the silver of his retired panel, once.
    @param token_id The token.
    @return uint256 USDC paid (6 decimals), rounded down.
    """
    assert erc721._owner_of(token_id) == msg.sender, "solar_nft: caller is not the owner"
    status: uint256 = self._panels[token_id].status
    assert status != _ACTIVE, "solar_nft: panel is in service"
    assert status != _SILVER_CLAIMED, "solar_nft: silver was claimed before"
    price: uint256 = feed._read(silver_feed, feed_max_age)
    amount: uint256 = self._silver_usdc(self._panels[token_id].silver_mg, price)
    assert amount <= self.silver_reserve, "solar_nft: silver reserve is too small"
    self._panels[token_id].status = _SILVER_CLAIMED
    self.silver_reserve -= amount
    if amount != 0:
        asset_token._push(usdc, msg.sender, amount)
    log SilverClaimed(token_id=token_id, owner=msg.sender, amount=amount, price=price)
    log IERC4906.MetadataUpdate(_tokenId=token_id)
    return amount


@external
@payable
def transferFrom(owner: address, to: address, token_id: uint256):
    """
    @notice Sends a token that is not locked; what it has earned stays the sender's.
    @dev Payable as ERC-721 has it; ether is refused, for nobody could take it out.
    @param owner The 20-byte address of its owner.
    @param to The 20-byte receiver address.
    @param token_id The token; the caller must be its owner or approved.
    """
    self._send(owner, to, token_id)


@external
@payable
def safeTransferFrom(owner: address, to: address, token_id: uint256, data: Bytes[1_024] = b""):
    """
    @notice Sends a token as `transferFrom` does, and asks a receiving contract whether it
            takes tokens.
    @param owner The 20-byte address of its owner.
    @param to The 20-byte receiver address.
    @param token_id The token; the caller must be its owner or approved.
    @param data What the receiver is told, at most 1,024 bytes.
    """
    self._send(owner, to, token_id)
    assert erc721._check_on_erc721_received(owner, to, token_id, data), "solar_nft: receiver takes no tokens"


# ----------------------------------------------------------------------------- views


@external
@view
def supportsInterface(interface_id: bytes4) -> bool:
    """
    @notice Returns whether an interface is implemented (ERC-165).
    @param interface_id The 4-byte identifier.
    @return bool Whether it is.
    """
    return interface_id in _SUPPORTED_INTERFACES


@external
@view
def panelOf(token_id: uint256) -> (uint256, uint256, uint256, uint256, uint256):
    """
    @notice Returns what a token stands for.
    @param token_id The token.
    @return uint256 Rated watts.
    @return uint256 When it went into service, Unix seconds.
    @return uint256 Power that it loses a year (10,000 = 100 %).
    @return uint256 Silver in it, in milligrams.
    @return uint256 Status: 1 in service, 2 retired, 3 retired and its silver paid for.
    """
    erc721._require_minted(token_id)
    panel: Panel = self._panels[token_id]
    return panel.watts, panel.commissioned, panel.degradation_bps, panel.silver_mg, panel.status


@external
@view
def pending(token_id: uint256) -> (uint256, uint256):
    """
    @notice Returns what a token has earned that its owner was not credited with yet.
    @param token_id The token.
    @return uint256 Revenue of closed periods in USDC (6 decimals), rounded down.
    @return uint256 Bonus in USDC (6 decimals), rounded down.
    """
    erc721._require_minted(token_id)
    return self._whole(energy_revenue._earned(token_id)), self._whole(lock_bonus._earned(token_id))


@external
@view
def credited(account: address) -> (uint256, uint256):
    """
    @notice Returns what an account was credited with and not paid: that of tokens it has
            sent, unlocked, or that were reported again.
    @param account The 20-byte address.
    @return uint256 Revenue in USDC (6 decimals), rounded down.
    @return uint256 Bonus in USDC (6 decimals), rounded down.
    """
    return self._whole(energy_revenue._credits[account]), self._whole(lock_bonus._credits[account])


@external
@view
def locked(token_id: uint256) -> bool:
    """
    @notice Returns whether a token cannot be sent (ERC-5192).
    @param token_id The token.
    @return bool Whether it is locked.
    """
    erc721._require_minted(token_id)
    return self._is_locked(token_id)


@external
@view
def silver_value(token_id: uint256) -> uint256:
    """
    @notice Returns what a token's silver would be paid with today; nothing once it was.
    @param token_id The token.
    @return uint256 USDC (6 decimals), rounded down.
    """
    erc721._require_minted(token_id)
    if self._panels[token_id].status == _SILVER_CLAIMED:
        return 0
    return self._silver_usdc(self._panels[token_id].silver_mg, feed._read(silver_feed, feed_max_age))


@external
@view
def royaltyInfo(token_id: uint256, sale_price: uint256) -> (address, uint256):
    """
    @notice Returns the royalty of a sale (ERC-2981).
    @param token_id The token.
    @param sale_price The price in any unit.
    @return address Who gets the royalty.
    @return uint256 The royalty in the same unit, rounded down.
    """
    return royalty_receiver, sale_price * royalty_bps // _BPS


# -------------------------------------------------------------------------- internal


@internal
@payable
def _send(owner: address, to: address, token_id: uint256):
    """
    @notice Credits the sender with what the token has earned, then moves it.
    @param owner The 20-byte address of its owner.
    @param to The 20-byte receiver address.
    @param token_id The token.
    """
    assert msg.value == 0, "solar_nft: takes no ether"
    assert erc721._is_approved_or_owner(msg.sender, token_id), "solar_nft: caller is neither owner nor approved"
    assert not self._is_locked(token_id), "solar_nft: panel is locked"
    assert to != self, "solar_nft: receiver is the collection"
    energy_revenue._settle(token_id, erc721._owner_of(token_id))
    erc721._transfer(owner, to, token_id)


@internal
def _settle(token_id: uint256, owner: address):
    """
    @notice Credits revenue and bonus of a token to its owner.
    """
    energy_revenue._settle(token_id, owner)
    lock_bonus._credit(token_id, owner)


@internal
@view
def _check_operator():
    """
    @notice Refuses everybody but the operator.
    """
    assert msg.sender == self.operator, "solar_nft: caller is not the operator"


@internal
@view
def _is_locked(token_id: uint256) -> bool:
    """
    @notice Returns whether a panel is locked.
    """
    return lock_bonus.locks[token_id].watts != 0


@internal
@view
def _power_bps(panel: Panel) -> uint256:
    """
    @notice Returns what whole years of degradation have left of the rated power.
    """
    lost: uint256 = panel.degradation_bps * ((block.timestamp - panel.commissioned) // _YEAR)
    return _BPS - min(lost, _BPS)


@internal
@view
def _silver_usdc(silver_mg: uint256, price: uint256) -> uint256:
    """
    @notice Returns what silver is paid with at a price with 18 decimals, in units of USDC.
    """
    return silver_mg * _MG_SCALE * recovery_bps * price // (_MG_PER_OUNCE * _BPS * _USDC_SCALE)


@internal
@pure
def _whole(magnified: uint256) -> uint256:
    """
    @notice Returns magnified units as whole ones, rounded down.
    """
    return magnified >> energy_revenue._MAGNITUDE_BITS
