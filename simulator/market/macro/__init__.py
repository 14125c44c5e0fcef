"""The macro model: factors, what they do to each asset's drift, regimes, views."""
