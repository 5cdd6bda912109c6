"""Storage tests run on both databases."""

from tests.databases import engine, postgresql_cluster

__all__ = ["engine", "postgresql_cluster"]
