"""The command line: thin commands over the rooms below, one a file, each loaded when it is called."""
