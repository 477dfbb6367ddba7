"""The use cases, one file each, named by their verbs."""
