"""Parts of `benchmarks/robustness/fuzz.py`: how files are damaged, what reads them, and where each case runs."""
