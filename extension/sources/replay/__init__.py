"""Replays: trajectory logs made by chance, and their bird's-eye view drawn as video."""
