# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Market of Single Tokens
@custom:contract-name nft_desk
@license GNU Affero General Public License v3.0 only
@notice Stage prop: stands for the market on which tokens of one collection (ERC-721) are
        sold at a fixed price in USDC. Token and money change hands in one transaction, and
        the royalty that the collection names (ERC-2981) comes out of what the seller gets.
@dev A token stays in its owner's wallet while it is offered; he must have approved this
     contract. An offer rests while its seller does not own the token, and stands again if
     he gets it back, at the old price: whoever sends a token away withdraws its offer first.
"""


from ethereum.ercs import IERC20
from ethereum.ercs import IERC721


from snekmate.extensions.interfaces import IERC2981


struct Offer:
    seller: address
    price: uint256


# @dev The tokens that are sold here, and what is paid in.
collection: public(immutable(address))
usdc: public(immutable(address))


# @dev Offers by token; no seller means that there is none.
offers: public(HashMap[uint256, Offer])


event Offered:
    token_id: indexed(uint256)
    seller: indexed(address)
    price: uint256


event Withdrawn:
    token_id: indexed(uint256)


event Bought:
    token_id: indexed(uint256)
    seller: indexed(address)
    buyer: indexed(address)
    price: uint256
    royalty: uint256


@deploy
def __init__(collection_: address, usdc_: address):
    """
    @notice Deploys a market without offers.
    @param collection_ The 20-byte address of the tokens, with ERC-2981.
    @param usdc_ The 20-byte address of the token that is paid in.
    """
    collection = collection_
    usdc = usdc_


@external
def offer(token_id: uint256, price: uint256):
    """
    @notice Offers a token of the caller, or changes its price.
    @param token_id The token.
    @param price What a buyer pays, in units of USDC (6 decimals), above zero.
    """
    assert staticcall IERC721(collection).ownerOf(token_id) == msg.sender, "nft_desk: caller is not the owner"
    assert price != 0, "nft_desk: price of zero"
    self.offers[token_id] = Offer(seller=msg.sender, price=price)
    log Offered(token_id=token_id, seller=msg.sender, price=price)


@external
def withdraw(token_id: uint256):
    """
    @notice Takes an offer of the caller back.
    @param token_id The token.
    """
    assert self.offers[token_id].seller == msg.sender, "nft_desk: caller has not offered it"
    self.offers[token_id] = empty(Offer)
    log Withdrawn(token_id=token_id)


@external
def buy(token_id: uint256, max_price: uint256) -> uint256:
    """
    @notice Buys a token at its price.
    @param token_id The token.
    @param max_price The most that the caller will pay, in units of USDC (6 decimals).
    @return uint256 What he paid.
    """
    found: Offer = self.offers[token_id]
    assert found.seller != empty(address), "nft_desk: token is not offered"
    assert found.price <= max_price, "nft_desk: exceeds the most to pay"
    assert staticcall IERC721(collection).ownerOf(token_id) == found.seller, "nft_desk: seller has it no more"
    self.offers[token_id] = empty(Offer)
    receiver: address = empty(address)
    royalty: uint256 = 0
    receiver, royalty = staticcall IERC2981(collection).royaltyInfo(token_id, found.price)
    assert royalty <= found.price, "nft_desk: royalty exceeds the price"
    if royalty != 0:
        self._pay(receiver, royalty)
    self._pay(found.seller, found.price - royalty)
    extcall IERC721(collection).safeTransferFrom(found.seller, msg.sender, token_id)
    log Bought(token_id=token_id, seller=found.seller, buyer=msg.sender, price=found.price, royalty=royalty)
    return found.price


@internal
def _pay(receiver: address, amount: uint256):
    """
    @notice Sends the caller's USDC on.
    @param receiver The 20-byte address that is paid.
    @param amount Units of USDC.
    """
    assert extcall IERC20(usdc).transferFrom(
        msg.sender, receiver, amount, default_return_value=True
    ), "nft_desk: payment failed"
