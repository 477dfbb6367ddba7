"""Translates between protobuf and the use cases; decides nothing."""
