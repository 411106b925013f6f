"""Parts of `benchmarks/fuzz.py`: how files are damaged, what reads them, and where each case runs."""
