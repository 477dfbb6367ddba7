"""Words that nobody may find again: through every field of every RPC, and looked for wherever the system writes."""
