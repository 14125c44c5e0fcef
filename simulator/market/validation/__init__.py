"""Does the market look like the past, and would it have foreseen what came next?"""
