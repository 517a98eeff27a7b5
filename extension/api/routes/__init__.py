"""The routes, by what they are about. Each only translates between HTTP and the services."""
