"""Reading replay views: numbered discs, the burnt-in clock, and which discs overlap when."""
