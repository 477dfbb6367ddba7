"""The JSON gateway: routes and JSON come from the protobuf descriptors; no business rule and no hand-written route."""
