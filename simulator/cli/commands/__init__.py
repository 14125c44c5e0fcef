"""The commands as click knows them: names, options and help, and nothing that computes."""
