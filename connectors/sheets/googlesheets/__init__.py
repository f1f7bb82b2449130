"""What `connectors.sheets.google` is made of."""
