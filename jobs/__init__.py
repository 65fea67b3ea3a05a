"""Everything Celery: the app, the schedule, and tasks of a few lines that call `connector`."""
