"""Selection methods, one pure module each; all decide from the frozen list and the rule book pinned by the procurement."""
