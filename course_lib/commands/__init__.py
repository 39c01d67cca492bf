"""The command line, a file a command; `main` reads it."""
