"""Memory: events become incidents. Pure, driven by media time only, so that replays and tests behave as live does."""
