"""The append-only ledger: who said what of which hip, and the cohort table built from it."""
