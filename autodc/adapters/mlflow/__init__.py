"""A study in MLflow: what its runs say (pure), the client's calls, and the processes that make them.

`projection` folds events into changes of runs, `sender` and `replay` make them true by `runs`, `tracker` is the port
and `writer` its process. `mlflow_served` beside this folder is named in every model that was logged.
"""
