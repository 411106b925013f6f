"""Trials of an LSTM with a memory, and what they share with the table of albums."""
