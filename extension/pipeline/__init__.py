"""The only place that knows the order of the stages: source, chunks, captions, events, incidents, messages."""
