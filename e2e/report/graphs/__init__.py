"""The graphs. Each function draws one, of the report's style, from figures computed elsewhere."""
