"""Measurements whose results stand in docs/; run by hand."""
