"""Networks evolved by a genetic algorithm."""
