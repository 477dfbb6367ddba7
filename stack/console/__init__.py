"""The console of a stack on one machine: receives its traces, looks at its health, and shows both on a page."""
