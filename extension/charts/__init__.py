"""Charts as pictures: the only door to the plotting library."""
