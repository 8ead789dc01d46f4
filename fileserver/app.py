"""The one place where the rooms are joined."""

import logging
import math
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio
import anyio.to_thread
from fastapi import FastAPI

from fileserver import media
from fileserver.api import (
    assets,
    comments,
    errors,
    events,
    files,
    folders,
    jobs,
    media_hls,
    media_pictures,
    media_words,
    moving,
    operations,
    tables,
    transform,
    trash,
    uploads,
)
from fileserver.api import media as media_api
from fileserver.api.cors import AllowPagesOf
from fileserver.api.openapi import DescribedApp
from fileserver.api.service import Service
from fileserver.api.shortcut import shortcuts
from fileserver.delivery.derivatives import Derivatives
from fileserver.delivery.disk_cache import DiskCache
from fileserver.delivery.job_events import told_to
from fileserver.delivery.long_work import long_work
from fileserver.delivery.refusal import CloseEarlyAnswers
from fileserver.delivery.subtitles import Sidecars
from fileserver.delivery.workshop import Workshop
from fileserver.http.origins import parse_origins
from fileserver.jobs import Jobs, scratch_folder
from fileserver.lifespan import STOPPING
from fileserver.metrics import Metrics, Observe
from fileserver.settings import Settings
from fileserver.upkeep import kept_up, teller
from fileserver.workers import LAYERS, KeptWorkers, Pool, PoolLimits, sandbox_layers
from storage import (
    RESERVED_NAME,
    Catalogue,
    CommentSweep,
    ForeignChanges,
    Job,
    Library,
    LocalStore,
    PositionSweep,
    Upkeep,
    UploadLimits,
    Uploads,
    catalogue_path,
)

log = logging.getLogger("fileserver.app")

_SWEEP_S = 60.0
_TABLES_ENGINE = "fileserver.tables.engine.job"
_MEDIA_ENGINE = "fileserver.media.engine.job"
"""The modules that workers run, in processes of their own: nothing of them is imported here."""

_TABLES_BUDGET = 256 << 20  # bytes, for profiles and indexes of where rows are
_PRODUCT_SIZE = 512 << 20  # bytes, of the longest thing made of a media file: a segment of film without keyframes

_ROUTERS = (
    files.router,
    moving.router,
    folders.router,
    uploads.router,
    transform.router,
    tables.router,
    jobs.router,
    events.router,
    comments.router,
    trash.router,
    media_pictures.router,
    media_words.router,
    media_hls.router,
    media_api.router,
    operations.router,
    assets.router,
)


def create_app(settings: Settings) -> FastAPI:
    """A file server over `settings.root`, to run alone or to mount in another application under any prefix.

    Its storage opens and closes with its lifespan, which a mounting application has to run: see `running`.
    """
    store, catalogue = _storage(settings)
    service = _service(settings, store, catalogue)

    app = DescribedApp(
        title="fileserver",
        version=version("fileserver"),
        lifespan=partial(_at_work, service, store, catalogue),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # /metrics and the access log are our own
    )
    app.state.service = service
    for router in _ROUTERS:
        app.include_router(router)
    app.state.routes = tuple(route for router in _ROUTERS for route in router.routes)
    app.router.routes[:0] = (*shortcuts(files.router, files.read), *shortcuts(operations.router, operations.health))
    errors.install(app)
    if settings.allowed_origins is not None:  # inmost: what is outside of it answers nothing, a 500 aside
        app.add_middleware(AllowPagesOf, origins=parse_origins(settings.allowed_origins))
    app.add_middleware(CloseEarlyAnswers)
    app.add_middleware(Observe, metrics=service.metrics, is_logging=settings.access_log)
    return app


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[None]:
    """Keep a mounted application's storage open: servers run the lifespan of the outermost application alone."""
    async with app.router.lifespan_context(app):
        yield


@asynccontextmanager
async def _at_work(
    service: Service, store: LocalStore, catalogue: Catalogue, app: FastAPI
) -> AsyncIterator[Mapping[str, object]]:
    """The lifespan of an application: its storage is open, and all that goes on beside its requests goes on."""
    await service.library.start()
    try:
        service.workshop.missing = await _missing_layers()
        upkeep = kept_up(_upkeep(service, store, catalogue))
        foreign = kept_up(ForeignChanges(service.settings.root, catalogue, report=teller(service.metrics)))
        work = long_work(service.workshop.jobs, store, catalogue, service.stopping)
        async with (
            upkeep,
            foreign,
            service.workshop.pool,
            service.derivatives.workers,
            work as app.state.long_work,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(service.uploads.watch)
            tasks.start_soon(service.library.changes.watch)
            tasks.start_soon(service.library.tails.watch)
            yield {STOPPING: service.stopping.set}
            tasks.cancel_scope.cancel()
    finally:
        await service.library.close()


def _service(settings: Settings, store: LocalStore, catalogue: Catalogue) -> Service:
    library = Library(store, catalogue, media.detect)
    limits = UploadLimits(settings.max_uploads, settings.upload_lifetime, settings.max_size)
    uploads = Uploads(library, store, catalogue, limits)
    scratch = _scratch(settings)
    workshop = _workshop(settings, library, scratch)
    derivatives = _derivatives(settings, library, scratch)
    return Service(library, uploads, settings, Metrics(), workshop, derivatives, Sidecars(library))


def _scratch(settings: Settings) -> Path:
    is_writable = settings.may_write and os.access(settings.root, os.W_OK)
    return scratch_folder(settings.scratch, settings.root / RESERVED_NAME / "scratch", is_writable=is_writable)


def _workshop(settings: Settings, library: Library, scratch: Path) -> Workshop:
    limits = PoolLimits(
        jobs=settings.transform_jobs,
        queue=settings.transform_queue,
        data_size=max(PoolLimits().data_size, 3 * settings.transform_memory),
        file_size=settings.max_spill,
        wall_s=settings.transform_timeout,
        cpu_s=math.ceil(settings.transform_timeout * 2),  # of two threads
    )
    kept = Jobs(scratch / "jobs", settings.job_lifetime, report=told_to(library.changes))
    learned = DiskCache(scratch / "tables", _TABLES_BUDGET)
    return Workshop(Pool(_TABLES_ENGINE, limits), kept, settings.transform_memory, settings.max_spill, learned)


def _derivatives(settings: Settings, library: Library, scratch: Path) -> Derivatives:
    limits = PoolLimits(
        jobs=settings.media_jobs,
        queue=settings.media_queue,
        data_size=settings.media_memory,
        file_size=_PRODUCT_SIZE,
        wall_s=settings.media_timeout,
        cpu_s=math.ceil(settings.media_timeout * 2),  # of two threads
    )
    kept = DiskCache(scratch / "media", settings.media_cache)
    return Derivatives(library, KeptWorkers(_MEDIA_ENGINE, limits), kept, scratch / "empty")


async def _missing_layers() -> frozenset[str]:
    missing = LAYERS - await anyio.to_thread.run_sync(sandbox_layers)
    if missing:
        log.warning(
            "transforms are confined less than they should be: this machine lacks %s", ", ".join(sorted(missing))
        )
    return missing


def _upkeep(service: Service, store: LocalStore, catalogue: Catalogue) -> Upkeep:
    settings = service.settings
    return Upkeep(
        service.library,
        store,
        catalogue,
        hash_rate=settings.hash_rate,
        scrub_period_s=settings.scrub_period,
        report=teller(service.metrics),
        jobs=(
            service.workshop.jobs.sweep,
            partial(service.library.changes.prune, lifetime_s=settings.feed_lifetime),
            PositionSweep(store, catalogue).sweep,
            *(_writers_jobs(service, store, catalogue) if settings.may_write else ()),
        ),
        job_pause_s=min(_SWEEP_S, min(settings.upload_lifetime, settings.job_lifetime, settings.feed_lifetime) / 4),
    )


def _writers_jobs(service: Service, store: LocalStore, catalogue: Catalogue) -> tuple[Job, ...]:
    trash = partial(service.library.trash.sweep, service.settings.trash_lifetime)
    return service.uploads.sweep, CommentSweep(store, catalogue).sweep, trash


def _storage(settings: Settings) -> tuple[LocalStore, Catalogue]:
    """A read-only server creates nothing below its root: what it learns stays in memory unless a catalogue is there."""
    path = catalogue_path(settings.root)
    is_kept = settings.may_write or (path.exists() and os.access(path.parent, os.W_OK))
    store = LocalStore(settings.root, is_writable=settings.may_write)
    return store, Catalogue(path if is_kept else None)
