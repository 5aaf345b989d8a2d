"""The tables of the SQL store, in the newest layout.

A record is kept as its JSON text beside the columns that queries need, so a new field of a record needs no new layout.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, PrimaryKeyConstraint, String, Table, Text

__all__ = ["artifacts", "evaluations", "events", "marks", "metadata", "runs", "states", "versions"]

metadata = MetaData()

versions = Table("nasight_schema", metadata, Column("version", Integer, primary_key=True))

runs = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("created", Float, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

evaluations = Table(
    "evaluations",
    metadata,
    Column("run_id", String(64), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("id", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "id"),
    Index("evaluations_by_revision", "run_id", "revision"),
)

events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("run_id", String(64), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("events_by_revision", "run_id", "revision"),
)

states = Table(
    "strategy_states",
    metadata,
    Column("run_id", String(64), ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("body", Text, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    # Not of the evaluation: one that is replaced keeps what people said of its candidate.
    Column("run_id", String(64), ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("candidate_id", String(64), nullable=False),
    Column("changed", Float, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "candidate_id"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("name", String(256), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
)
