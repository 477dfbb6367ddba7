"""Adapters of what the use cases need from outside this service."""
