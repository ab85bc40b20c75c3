"""What a study is, and its clinical rules as pure functions of plain values."""
