"""What both simulators share: the call log, the fault board, the journal and the HTTP server."""
