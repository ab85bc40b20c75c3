"""Commands about reading files: read, measured, compared, packed, handed out."""
