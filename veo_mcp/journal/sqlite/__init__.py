"""The journal in an SQLite file: store.py, its rows, and its schema as numbered SQL files."""
