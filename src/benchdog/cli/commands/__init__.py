"""The commands, a module for each group of them that belongs together. Imported one by one, when they are used."""
