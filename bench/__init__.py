"""How fast it is: scripts that measure the real processes against what they cannot be faster than, as ratios."""

import os

# A benchmark forks while channels are open, and only to become another program: gRPC need not prepare for that.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
