"""The intermediary-service supermarket: item list, agencies, listings, search, procurement, contract, rating."""
