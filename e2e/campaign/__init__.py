"""All scenarios on the cluster, one after another, and the report of them: what `make report` runs."""
