"""Music continued from what was heard: real steps of the training music and of the prompt, played again."""
