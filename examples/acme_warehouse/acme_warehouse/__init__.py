"""A warehouse receipt: metal in a vault, on paper. A product for Assay from outside of it."""

from acme_warehouse.terms import WarehouseTerms
from simulator.instruments.card import Instrument

CARD = Instrument(
    kind="acme_warehouse",
    about="a warehouse receipt: metal in a vault for a storage fee, with a right to delivery",
    terms=WarehouseTerms,
    model="acme_warehouse.model:MODEL",
    stagecraft="acme_warehouse.player:STAGE",
    page="acme_warehouse.page:PAGE",
    artifacts="acme_warehouse.artifacts",
    draws=("missing",),
)
