"""Starts the programs of the embedded default on this machine, keeps them up and stops them."""
