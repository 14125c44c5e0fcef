# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Incentive Token
@custom:contract-name reward_token
@license GNU Affero General Public License v3.0 only
@notice The token in which a protocol pays its incentives: a plain ERC-20 with
        18 decimals that its owner mints as the emission schedule wants. It
        stands for nothing but the price that somebody pays for it. Its own address
        cannot hold it: no one could take it out again.
"""


from ethereum.ercs import IERC20
implements: IERC20


from ethereum.ercs import IERC20Detailed
implements: IERC20Detailed


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from .modules import share_token
initializes: share_token[erc20 := erc20]


exports: (
    ownable.owner,
    ownable.transfer_ownership,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    share_token.transfer,
    share_token.transferFrom,
)


# @dev One token is 1e18.
_DECIMALS: constant(uint8) = 18


@deploy
def __init__(name_: String[25], symbol_: String[5]):
    """
    @notice Deploys the token without any supply; the deployer becomes its owner.
    @param name_ The name, up to 25 characters.
    @param symbol_ The symbol, up to 5 characters.
    """
    ownable.__init__()
    erc20.__init__(name_, symbol_, _DECIMALS, name_, "1")


@external
def mint(to: address, amount: uint256):
    """
    @notice Creates tokens; owner only.
    @param to The 20-byte address that receives them, not this contract's.
    @param amount The amount (1e18 = one token).
    """
    ownable._check_owner()
    share_token._check_receiver(to)
    erc20._mint(to, amount)
