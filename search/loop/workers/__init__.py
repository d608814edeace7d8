"""Worker processes, on this machine or a cluster: the one place that knows Dask."""
