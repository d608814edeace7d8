"""The front door: one address for the studies' front page, Optuna's dashboard and MLflow's pages."""
