"""Remembers what was asked of the API and what became of it; the only place that announces a change.

Called by the tasks layer. Knows the API layer's types at most; never speaks HTTP.
"""
