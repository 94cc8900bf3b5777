"""The wording: every sentence that a model or a person reads about a task, a failure or a film.

task.py words one task, errors.py a failed call, film.py the parts of a film; detail.py says how much fits. results.py,
which puts the sentences into tool results, words lists and the balance itself.
"""
