"""FHIR R4 (4.0.1), pure: rows to resources, bodies and search parameters to values, and the
interface's description of itself, all from one table of operations. Nothing here asks a database.
"""
