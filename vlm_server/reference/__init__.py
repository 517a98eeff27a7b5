"""A deterministic vision program behind an OpenAI-compatible route; it is not a language model."""
