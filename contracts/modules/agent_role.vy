# pragma version ==0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title Agents of an ERC-3643 Contract
@custom:contract-name agent_role
@license GNU Affero General Public License v3.0 only
@notice The owner appoints agents, who act on wallets day by day. Names and events
        are those of the standard's `IAgentRole`.
"""


from snekmate.auth import ownable
uses: ownable


# @dev Whether an account is an agent.
isAgent: public(HashMap[address, bool])


event AgentAdded:
    _agent: indexed(address)


event AgentRemoved:
    _agent: indexed(address)


@external
def addAgent(_agent: address):
    """
    @notice Appoints an agent; owner only.
    @param _agent The 20-byte address.
    """
    ownable._check_owner()
    assert _agent != empty(address), "agent_role: agent is the zero address"
    assert not self.isAgent[_agent], "agent_role: account is already an agent"
    self.isAgent[_agent] = True
    log AgentAdded(_agent=_agent)


@external
def removeAgent(_agent: address):
    """
    @notice Dismisses an agent; owner only.
    @param _agent The 20-byte address.
    """
    ownable._check_owner()
    assert self.isAgent[_agent], "agent_role: account is not an agent"
    self.isAgent[_agent] = False
    log AgentRemoved(_agent=_agent)


@internal
@view
def _check_agent():
    """
    @notice Reverts unless the caller is an agent.
    """
    assert self.isAgent[msg.sender], "agent_role: caller is not an agent"
