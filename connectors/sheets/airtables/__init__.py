"""What an Airtable base needs: the line to it, its fields and values, and how changes land."""
