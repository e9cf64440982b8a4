"""Dynamic routes: reads a graph of elements, and walks it for a call. Pure."""
