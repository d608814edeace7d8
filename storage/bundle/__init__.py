"""A study as one file that can be carried elsewhere: its members, and the ways out and in."""
