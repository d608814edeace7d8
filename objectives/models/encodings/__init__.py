"""How rows become what models without an own way with categories and missing values take."""
