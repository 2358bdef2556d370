"""The shell: settings, command line, server, worker, HTTP, ports, database."""
