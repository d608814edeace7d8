"""What people look at, read beside a search that writes: never a lock, never a change."""
