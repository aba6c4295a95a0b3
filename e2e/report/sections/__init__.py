"""The report's sections. Each function turns what was measured into tables, graphs and sentences."""
