"""Floor 10. The staff desk: pages that combine areas (board, search, whole histories).

No models and no actions of its own: it reads through the areas' queries and acts through theirs.
"""
