// MLflow's pages begin with training runs, and without its assistant, which would need a server of its own and leaves
// no room on a phone. Whoever chooses otherwise keeps that.
"use strict";

const BEGINNING = {
  "mlflow.workflowType_v1": JSON.stringify("machine_learning"),
  "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
  "mlflow.assistant.panelOpen_v1": "false",
};
for (const [key, value] of Object.entries(BEGINNING)) {
  if (localStorage.getItem(key) === null) localStorage.setItem(key, value);
}
