"""What becomes of a study's data: backup, erasure, audit trail, named states."""
