"""JSON to protobuf and back, compiled once per message type from its descriptor."""
