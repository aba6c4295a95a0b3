"""What happened on the cluster and when: recorded from watches, kept as JSON lines, judged by pure functions."""
