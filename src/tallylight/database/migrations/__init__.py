"""The migration chain, run by `database.schema.migrate`. Revisions are explicit: they never import a room's tables."""
