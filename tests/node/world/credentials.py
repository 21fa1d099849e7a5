"""The tokens and keys the stand-ins accept. Logs and counters call them by name, never by value."""

BOTS = {
    "cage": {"id": 123456789, "first_name": "Cage", "username": "cage_bot"},
    "other": {"id": 987654321, "first_name": "Other", "username": "other_bot"},
}

# value -> (name, bot)
TOKENS = {
    "123456789:AAE-standin-token-for-tests-0123456": ("cage", "cage"),
    "123456789:AAF-rotated-token-for-tests-6543210": ("cage-next", "cage"),
    "987654321:AAG-another-token-for-tests-0123456": ("other", "other"),
}

GLOBAL_HOST = "api.minimax.io"
CN_HOST = "api.minimaxi.com"

# value -> (name, host)
KEYS = {
    "sk-api-standin-minimax-key-for-tests-0123456789": ("global", GLOBAL_HOST),
    "sk-api-rotated-minimax-key-for-tests-9876543210": ("global-next", GLOBAL_HOST),
    "sk-api-standin-minimax-cn-key-for-tests-0123456789": ("cn", CN_HOST),
}
