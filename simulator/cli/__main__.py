"""`python -m simulator.cli` is `assay`."""

from simulator.cli.main import main

main(prog_name="assay")
