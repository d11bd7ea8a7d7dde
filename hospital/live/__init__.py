"""Floor 2. The live channel: hints to open pages that something they show has changed.

A hint carries a topic and nothing else; the page reads the news again through its own address,
where permission is checked again. A lost hint costs one slow poll.
"""
