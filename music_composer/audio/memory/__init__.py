"""Music continued from a memory: real steps of the training music and of the prompt, played again."""
