"""OpenAI's API, as far as one model that writes text can serve it."""
