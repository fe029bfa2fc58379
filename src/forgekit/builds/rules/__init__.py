"""The rules of build analysis: pure functions of records and counts."""
