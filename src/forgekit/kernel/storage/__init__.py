"""The storage port: transactions and the kernel's repositories."""
