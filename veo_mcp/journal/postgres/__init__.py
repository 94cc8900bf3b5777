"""The journal in a PostgreSQL database, shared by servers on many machines: store.py, and its schema as numbered SQL."""
