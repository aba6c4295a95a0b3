"""The model downloader, codemodel-fetch: what the init container of every pod runs."""
