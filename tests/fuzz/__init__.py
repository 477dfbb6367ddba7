"""The API under requests that schemathesis makes from our own document; every answer is checked against it."""
