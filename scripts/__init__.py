"""Adapters between the workflow and the physics."""
