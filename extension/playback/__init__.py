"""The event-based summary: only the moments that matter, as video, pictures and words."""
