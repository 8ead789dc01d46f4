"""What Alembic runs to apply revisions: one transaction on the catalogue that `upgrade` names."""

from alembic import context
from sqlalchemy import create_engine

from storage.schema import metadata

engine = create_engine(f"sqlite:///{context.config.attributes['path']}")
with engine.connect() as connection:
    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
