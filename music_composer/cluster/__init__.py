"""Work on several machines, or on all cores of one: an existing engine behind the executor of `parallel`."""
