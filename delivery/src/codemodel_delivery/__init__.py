"""Brings models to where they are served: fetched once, checked, and planned from their own header."""
