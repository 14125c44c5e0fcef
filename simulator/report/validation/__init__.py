"""The pages that say how the market stands up to history."""
