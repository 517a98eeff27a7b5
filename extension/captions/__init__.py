"""The answer: prompts, and tolerant but never guessing parsing into a verdict or a named failure."""
