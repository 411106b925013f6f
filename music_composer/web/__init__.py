"""The web page: a server on this machine alone, whose jobs are commands."""
