"""Pages: what people see. No rule lives here."""
