"""The two load tests that everybody knows: ab, and an artillery scenario."""
