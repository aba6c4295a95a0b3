"""Operator that reconciles CodeModel resources into served, autoscaled code models."""
