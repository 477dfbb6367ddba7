"""The fixtures of all tiers: one kind in each file."""

import os

from hypothesis import HealthCheck, settings

# How long an example takes says more of who else is at work on the machine than of ours.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
# Whole suites come from one address and one administrator, far faster than people do; nobody counts them. What the
# limits do is tested where it is asked for (tests/service/test_gateway_limits.py).
os.environ |= {"GATEWAY_USER_BURST": "0", "GATEWAY_ADDRESS_BURST": "0"}
# As in stack/__init__.py: tests start programs while other threads speak gRPC.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

pytest_plugins = [
    "tests.fix_postgres",
    "tests.fix_ledger",
    "tests.fix_services",
    "tests.fix_doctors",
    "tests.fix_spans",
    "tests.fix_practice",
    "tests.fix_own_postgres",
    "tests.fix_standby",
    "tests.fix_stack",
    "tests.fix_pair",
    "tests.fix_strangers",
    "tests.fix_clinic",
    "tests.fix_video",
    "tests.fix_cloudflare",
    "tests.fix_coturn",
    "tests.fix_records",
    "tests.fix_video_call",
    "tests.fix_redis",
    "tests.fix_console",
]
