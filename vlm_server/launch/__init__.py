"""Starts a VLM server in a container from a profile: reads the profile, decides the command, runs it, says what went wrong.

Read in this order: `profile`, `command`, `faults`, `docker`, `starting`, `settings`, `__main__`.
"""
