"""Floor 10. The patient's front door: the home page and pages that combine areas.

No models and no actions of its own.
"""
