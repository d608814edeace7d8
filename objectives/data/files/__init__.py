"""Table files as people have them: packed, encoded and separated in many ways, and broken in more."""
