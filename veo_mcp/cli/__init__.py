"""The command line: one file per command, main.py has the arguments of all of them."""
