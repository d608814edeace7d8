"""What a study looks like: each picture as plain values that Plotly draws, with a sentence that says what it shows."""
