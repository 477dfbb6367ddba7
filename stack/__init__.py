"""The whole clinic on one machine: embedded PostgreSQL, migrations, demo data, supervisor and the telemed command."""

import os

# The supervisor asks for health over gRPC and starts programs under another account, which forks. grpc would hold its
# threads still round each fork, and dies when it cannot; a child that only executes a program needs none of that. It
# reads this when it is first imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
# Its core writes lines of its own form to standard error, among them one for every connection that ends in a restart;
# errors are enough. It reads this too when it is imported, so it cannot be a setting of ours.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
