"""Engines: what turns a prompt into text."""
