"""`python -m journey CLIENT BASE_URL KEY_ID KEY_FILE`, in an environment that holds the foreign clients."""

import importlib
import sys
from pathlib import Path

from .steps import lead

CLIENTS = {"kalshi-sdk": ("kalshi_sdk", "KalshiSdk"), "kalshi-python-sync": ("official", "Official")}


def main(name: str, base_url: str, key_id: str, key_file: str) -> None:
    """Lead the life with one client; whatever goes wrong is raised."""
    module, kind = CLIENTS[name]
    client = getattr(importlib.import_module(f".{module}", __package__), kind)
    lead(client(base_url, key_id, Path(key_file).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(*sys.argv[1:])
