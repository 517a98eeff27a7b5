"""The camera skill: a motion baseline for fixed cameras; it knows what moves and burns, not what anything is."""
