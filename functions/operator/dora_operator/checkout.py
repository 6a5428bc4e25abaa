"""The checkout that this command was installed from."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
