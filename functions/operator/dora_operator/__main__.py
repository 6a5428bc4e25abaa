"""`python -m dora_operator` is the command `dora`."""

from dora_operator.cli import main

if __name__ == "__main__":
    main(prog_name="dora")
