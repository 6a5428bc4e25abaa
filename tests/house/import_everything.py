"""Imports every module below the folders given and fails if that opened a client or the network.

Run in a process of its own with an empty environment: `python import_everything.py FOLDER...`.
"""

import gc
import importlib
import os
import sys
from pathlib import Path


def refuse_the_network(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: name resolution and connections are errors."""
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
        raise AssertionError(f"import reached the network: {event} {arguments}")


def module_names(folder: Path) -> list[str]:
    """Dotted names of all modules of the packages in a folder on sys.path."""
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*.py"))
    return [".".join(p.with_suffix("").parts).removesuffix(".__init__") for p in paths]


def open_clients() -> list[str]:
    """Live AWS clients and HTTP sessions."""
    kinds = {("botocore.client", "BaseClient"), ("requests.sessions", "Session")}
    classes = tuple(getattr(sys.modules[m], name) for m, name in kinds if m in sys.modules)
    return [repr(type(thing)) for thing in gc.get_objects() if isinstance(thing, classes)]


def main(folders: list[str]) -> None:
    """Import all, then look at what is alive."""
    # macOS puts a variable of its own into every process.
    unexpected = set(os.environ) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    if unexpected:
        sys.exit(f"the environment is not empty: {sorted(unexpected)}")
    sys.dont_write_bytecode = True
    sys.addaudithook(refuse_the_network)
    count = 0
    for folder in map(Path, folders):
        sys.path.insert(0, str(folder))
        for name in module_names(folder):
            importlib.import_module(name)
            sys.modules.pop("app", None)  # every door is called app
            count += 1
        sys.path.remove(str(folder))
    if clients := open_clients():
        sys.exit(f"importing opened {clients}")
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
