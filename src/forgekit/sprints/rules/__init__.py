"""Pure rules of sprints: no I/O, no clock, no storage."""
