"""A whole house below, on both databases."""

from tests.databases import engine, postgresql_cluster
from tests.retention.conftest import each_house

__all__ = ["each_house", "engine", "postgresql_cluster"]
