"""The report of a results folder: graphs, Markdown and a self-contained HTML page, all computed from raw requests."""
