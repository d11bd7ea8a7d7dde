"""The project's own tools: the check, the demo's supervisor, the generated pages."""
