"""The settings file: found, read, checked line by line, described to editors, and written for new data."""
