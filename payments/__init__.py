"""Bills, payments through a gateway, and the double-entry ledger behind them."""
