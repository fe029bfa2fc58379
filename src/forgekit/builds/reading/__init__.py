"""Builds out of files, frames and rows."""
