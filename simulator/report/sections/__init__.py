"""The report's sections, top down: each turns results into one piece of the page."""

from simulator.report.sections.agreement import agreement_section
from simulator.report.sections.answer import answer_section, claim_article
from simulator.report.sections.depeg import depeg_section
from simulator.report.sections.headline import groups_markup, headline_section
from simulator.report.sections.inputs import inputs_section
from simulator.report.sections.instruments import instruments_section
from simulator.report.sections.moves import moves_section
from simulator.report.sections.notice import notice_section
from simulator.report.sections.origin import origin_section
from simulator.report.sections.outcomes import outcomes_section
from simulator.report.sections.warnings import warnings_section

__all__ = [
    "agreement_section",
    "answer_section",
    "claim_article",
    "depeg_section",
    "groups_markup",
    "headline_section",
    "inputs_section",
    "instruments_section",
    "moves_section",
    "notice_section",
    "origin_section",
    "outcomes_section",
    "warnings_section",
]
