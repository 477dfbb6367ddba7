"""How much one user or one address may ask for: token buckets, in this process or shared through Redis."""
