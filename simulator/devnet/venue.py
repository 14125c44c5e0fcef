"""Where a devnet is: a scenario's path, the node it is played on, the folder it writes to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.chain.living import LivingChain
from simulator.devnet import state
from simulator.devnet.story import Story
from simulator.errors import InputError, Problem, UsageError
from simulator.instruments.stage import Actor, Key
from simulator.replay.deployment import check_given, checksummed, write_deployment
from simulator.units import midnight_timestamp


@dataclass(frozen=True)
class Plot:
    """What is played: one path of a scenario.

    Attributes
    ----------
    run_hash : str
        Of scenario and calibration: what a saved devnet must have been made of.
    actors : callable
        Returns fresh players of the path.
    """

    scenario: str
    run_hash: str
    label: str
    path: int
    start: dt.date
    n_steps: int
    actors: Callable[[], Sequence[Actor]]


@dataclass
class Venue:
    """A node on which a plot is played, as people use it.

    Attributes
    ----------
    port : int
        The node's, on the loopback interface.
    given : dict of Key to str
        Contracts that stand on the chain already, by label and name.
    """

    plot: Plot
    chain: LivingChain
    folder: Path
    url: str
    port: int
    anvil_path: Path | None = None
    given: Mapping[Key, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.story = self._story(self.chain)

    def _story(self, chain: LivingChain) -> Story:
        return Story(chain, self.plot.actors(), self.plot.start, self.plot.n_steps)

    def begin(self) -> None:
        """Deploy everything, play the first day, and write addresses, ABIs and keys."""
        self.story.deploy(self.given)
        check_given(self.given, self.story.contracts)
        self.story.advance()
        self.write()

    def write(self) -> None:
        """Write what stands where."""
        write_deployment(self.folder, self.story.contracts, self.story.accounts.dealt)

    def close(self) -> None:
        """End the node, or leave it to its owner."""
        self.chain.close()

    def save(self, file: Path) -> None:
        """Keep the whole state in a file."""
        undisturbed = self.story.look_around()
        saved = state.Saved(
            scenario=self.plot.scenario,
            run_hash=self.plot.run_hash,
            path=self.plot.path,
            day=self.story.day,
            timestamp=self.chain.timestamp(),
            acted_on=None if undisturbed else self.story.acted_on,
            strangers=self.chain.strangers,
            anvil=self.chain.client_version,
            contracts=self._addresses(self.story),
            state=self.chain.dump(),
        )
        state.write(file, saved)

    def load(self, file: Path) -> None:
        """Go back to a state that was kept; nothing changes if it does not fit.

        The players know what they did up to that day from having done it: a node of their own has
        the days again, and then gives way to one with the saved state.
        """
        if self.chain.node is None:
            raise UsageError("load: a node that Assay did not start keeps its own state")
        plot = self.plot
        saved = state.read(file, plot.scenario, plot.run_hash, plot.path)
        chain = LivingChain(midnight_timestamp(plot.start), anvil_path=self.anvil_path)
        try:
            story = self._story(chain)
            story.deploy()
            while story.day < saved.day:
                story.advance()
            if self._addresses(story) != saved.contracts:
                rule = "must be those of this version of Assay: the contracts stand elsewhere"
                raise InputError([Problem(str(file), None, "contracts", "", rule)])
            self.chain.close()
            chain.restore(saved.state, saved.timestamp, saved.strangers, self.port)
        except BaseException:
            chain.close()
            raise
        story.resume(saved.acted_on)
        self.chain, self.story = chain, story
        self.write()

    def _addresses(self, story: Story) -> dict[str, str]:
        return {
            f"{label}/{name}": checksummed(contract.address)
            for (label, name), contract in story.contracts.items()
        }
