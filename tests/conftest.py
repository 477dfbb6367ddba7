"""The fixtures of all tiers: one kind in each file."""

pytest_plugins = [
    "tests.fix_postgres",
    "tests.fix_ledger",
    "tests.fix_services",
    "tests.fix_doctors",
    "tests.fix_spans",
    "tests.fix_practice",
    "tests.fix_stack",
    "tests.fix_pair",
    "tests.fix_clinic",
    "tests.fix_video",
    "tests.fix_cloudflare",
    "tests.fix_coturn",
    "tests.fix_records",
    "tests.fix_video_call",
    "tests.fix_redis",
]
