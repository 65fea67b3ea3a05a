"""The system: records, mapping, sync, the two edges, the store. No web framework, no Celery."""

__version__ = "0.1.0"
