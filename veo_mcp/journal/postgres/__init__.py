"""The journal in a PostgreSQL database, shared by servers on many machines: store.py, its rows, and its schema."""
