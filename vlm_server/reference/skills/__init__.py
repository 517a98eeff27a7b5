"""What the reference server can see; one folder per skill."""
