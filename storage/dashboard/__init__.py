"""What optuna-dashboard shows of a study besides its trials: pictures, notes with links, files."""
