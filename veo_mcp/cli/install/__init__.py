"""Installs this server into MCP hosts: catalogue.py has the hosts, a file per kind of host describes them.

command.py is what the command line calls; entry.py decides what changes in a text, jsonc.py, toml.py and yaml.py change
it, file.py replaces the file, launch.py knows how this installation is started.
"""
