"""Hand a dataset on: recipes and bags of files, with their terms, checked for what must stay."""
