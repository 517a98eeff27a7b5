"""Replays: the trajectory log behind a video, what it says about contacts, and the files a run leaves for the twin."""
