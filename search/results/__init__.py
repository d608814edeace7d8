"""What a search is worth: promotion and summaries."""
