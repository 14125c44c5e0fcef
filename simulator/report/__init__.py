"""Lays out what a run found, for the terminal and as one HTML file; computes nothing new."""

from simulator.report.brief import print_brief
from simulator.report.html import render_html
from simulator.report.market import print_market, render_market
from simulator.report.terminal import print_report

__all__ = ["print_brief", "print_market", "print_report", "render_html", "render_market"]
