# pragma version ==0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Identity Registry (ERC-3643)
@custom:contract-name identity_registry
@license GNU Affero General Public License v3.0 only
@notice Says which wallets belong to which identity and country. A wallet is verified
        while it is registered: agents vouch for it. Claims on an identity contract are
        out of scope; the registries of claims and issuers are stored as addresses.
@dev Countries are numeric ISO 3166-1 codes. A listener, the compliance as a rule, is
     told of each change, so that a cap by identity always counts the right wallets.
"""


from snekmate.auth import ownable
initializes: ownable


from .modules import agent_role
initializes: agent_role[ownable := ownable]


exports: (
    ownable.owner,
    agent_role.isAgent,
    agent_role.addAgent,
    agent_role.removeAgent,
)


interface IIdentityListener:
    def sync(wallet: address): nonpayable


# @dev Greatest number of entries of a batch.
_BATCH: constant(uint256) = 200


# @dev Where a shared list of identities would be kept; this registry keeps its own.
identityStorage: public(address)


# @dev The registry of trusted claim issuers; stored only.
issuersRegistry: public(address)


# @dev The registry of claim topics; stored only.
topicsRegistry: public(address)


# @dev The identity of a wallet; zero for a wallet that is not registered.
identity: public(HashMap[address, address])


# @dev The country of a wallet's investor.
investorCountry: public(HashMap[address, uint16])


# @dev Is told of each change of a wallet; zero for nobody.
listener: public(address)


event ClaimTopicsRegistrySet:
    claimTopicsRegistry: indexed(address)


event IdentityStorageSet:
    identityStorage: indexed(address)


event TrustedIssuersRegistrySet:
    trustedIssuersRegistry: indexed(address)


event IdentityRegistered:
    investorAddress: indexed(address)
    identity: indexed(address)


event IdentityRemoved:
    investorAddress: indexed(address)
    identity: indexed(address)


event IdentityUpdated:
    oldIdentity: indexed(address)
    newIdentity: indexed(address)


event CountryUpdated:
    investorAddress: indexed(address)
    country: indexed(uint16)


event ListenerSet:
    listener: indexed(address)


@deploy
def __init__():
    """
    @notice Deploys without any wallet; the deployer is owner and appoints agents.
    """
    ownable.__init__()
    self.identityStorage = self
    log IdentityStorageSet(identityStorage=self)


@external
def transferOwnership(_newOwner: address):
    """
    @notice Hands on the ownership; owner only.
    @param _newOwner The 20-byte address of the new owner.
    """
    ownable._check_owner()
    assert _newOwner != empty(address), "identity_registry: owner is the zero address"
    ownable._transfer_ownership(_newOwner)


@external
def setIdentityRegistryStorage(_identityRegistryStorage: address):
    """
    @notice Stores the address of a storage; owner only.
    @param _identityRegistryStorage The 20-byte address.
    """
    ownable._check_owner()
    self.identityStorage = _identityRegistryStorage
    log IdentityStorageSet(identityStorage=_identityRegistryStorage)


@external
def setClaimTopicsRegistry(_claimTopicsRegistry: address):
    """
    @notice Stores the address of the registry of claim topics; owner only.
    @param _claimTopicsRegistry The 20-byte address.
    """
    ownable._check_owner()
    self.topicsRegistry = _claimTopicsRegistry
    log ClaimTopicsRegistrySet(claimTopicsRegistry=_claimTopicsRegistry)


@external
def setTrustedIssuersRegistry(_trustedIssuersRegistry: address):
    """
    @notice Stores the address of the registry of trusted issuers; owner only.
    @param _trustedIssuersRegistry The 20-byte address.
    """
    ownable._check_owner()
    self.issuersRegistry = _trustedIssuersRegistry
    log TrustedIssuersRegistrySet(trustedIssuersRegistry=_trustedIssuersRegistry)


@external
def set_listener(listener: address):
    """
    @notice Sets who is told of each change of a wallet; owner only.
    @param listener The 20-byte address of a contract with `sync(address)`; zero for nobody.
    """
    ownable._check_owner()
    self.listener = listener
    log ListenerSet(listener=listener)


@external
def registerIdentity(_userAddress: address, _identity: address, _country: uint16):
    """
    @notice Registers a wallet, which is verified from now on; agents only.
    @param _userAddress The 20-byte address of the wallet.
    @param _identity The 20-byte address of its investor's identity.
    @param _country The investor's country, numeric ISO 3166-1.
    """
    agent_role._check_agent()
    self._register(_userAddress, _identity, _country)


@external
def batchRegisterIdentity(
    _userAddresses: DynArray[address, _BATCH],
    _identities: DynArray[address, _BATCH],
    _countries: DynArray[uint16, _BATCH],
):
    """
    @notice Registers many wallets; agents only.
    @param _userAddresses The 20-byte addresses of the wallets, up to 200.
    @param _identities The identity of each.
    @param _countries The country of each.
    """
    agent_role._check_agent()
    n: uint256 = len(_userAddresses)
    assert n == len(_identities) and n == len(_countries), "identity_registry: lists differ in length"
    for i: uint256 in range(n, bound=_BATCH):
        self._register(_userAddresses[i], _identities[i], _countries[i])


@external
def deleteIdentity(_userAddress: address):
    """
    @notice Removes a wallet, which can receive no more tokens; agents only.
    @dev What it holds and what profit it can claim stay its own.
    @param _userAddress The 20-byte address of the wallet.
    """
    agent_role._check_agent()
    self._check_registered(_userAddress)
    log IdentityRemoved(investorAddress=_userAddress, identity=self.identity[_userAddress])
    self.identity[_userAddress] = empty(address)
    self.investorCountry[_userAddress] = 0
    self._tell(_userAddress)


@external
def updateCountry(_userAddress: address, _country: uint16):
    """
    @notice Sets the country of a wallet's investor; agents only.
    @param _userAddress The 20-byte address of the wallet.
    @param _country The country, numeric ISO 3166-1.
    """
    agent_role._check_agent()
    self._check_registered(_userAddress)
    self.investorCountry[_userAddress] = _country
    log CountryUpdated(investorAddress=_userAddress, country=_country)


@external
def updateIdentity(_userAddress: address, _identity: address):
    """
    @notice Sets the identity of a wallet; agents only.
    @param _userAddress The 20-byte address of the wallet.
    @param _identity The 20-byte address of the identity.
    """
    agent_role._check_agent()
    self._check_registered(_userAddress)
    assert _identity != empty(address), "identity_registry: identity is the zero address"
    log IdentityUpdated(oldIdentity=self.identity[_userAddress], newIdentity=_identity)
    self.identity[_userAddress] = _identity
    self._tell(_userAddress)


@external
@view
def contains(_userAddress: address) -> bool:
    """
    @notice Returns whether a wallet is registered.
    @param _userAddress The 20-byte address of the wallet.
    @return bool Whether it has an identity.
    """
    return self.identity[_userAddress] != empty(address)


@external
@view
def isVerified(_userAddress: address) -> bool:
    """
    @notice Returns whether a wallet may receive tokens.
    @param _userAddress The 20-byte address of the wallet.
    @return bool Whether it is registered; claims are out of scope.
    """
    return self.identity[_userAddress] != empty(address)


@internal
def _register(wallet: address, identity: address, country: uint16):
    """
    @notice Registers a wallet that is not registered yet.
    """
    assert wallet != empty(address), "identity_registry: wallet is the zero address"
    assert identity != empty(address), "identity_registry: identity is the zero address"
    assert self.identity[wallet] == empty(address), "identity_registry: wallet is already registered"
    self.identity[wallet] = identity
    self.investorCountry[wallet] = country
    log IdentityRegistered(investorAddress=wallet, identity=identity)
    self._tell(wallet)


@internal
def _tell(wallet: address):
    """
    @notice Tells the listener, if there is one, that a wallet has changed.
    """
    if self.listener != empty(address):
        extcall IIdentityListener(self.listener).sync(wallet)


@internal
@view
def _check_registered(wallet: address):
    """
    @notice Reverts unless the wallet is registered.
    """
    assert self.identity[wallet] != empty(address), "identity_registry: wallet is not registered"
