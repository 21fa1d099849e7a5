"""The node: one module per part."""
