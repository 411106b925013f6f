"""The memory head: continues a prompt with real steps of the training music and of the prompt."""
