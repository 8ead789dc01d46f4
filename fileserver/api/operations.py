"""`/health`, `/metrics`, `/docs` and the way in."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fileserver.api.requests import file_href, root_href
from fileserver.api.responses import Figures, HtmlPage, JsonDocument
from fileserver.api.service import service_of
from fileserver.web.docs import docs_headers, docs_page

router = APIRouter(tags=["operations"])


@router.get("/", include_in_schema=False)
@router.head("/", include_in_schema=False)
@router.get("/files", include_in_schema=False)
@router.head("/files", include_in_schema=False)
async def root(request: Request) -> Response:
    """The files are what people come for."""
    return RedirectResponse(file_href(request, ""), status_code=307, headers={"cache-control": "no-store"})


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Response:
    """Browsers ask for it here, whatever a page says."""
    return RedirectResponse(f"{root_href(request)}assets/icon.svg", 308, {"cache-control": "public, max-age=86400"})


@router.get("/health", summary="Whether the server can serve", response_class=JsonDocument)
@router.head("/health", include_in_schema=False)
async def health(request: Request) -> Response:
    """200 while the storage answers."""
    await service_of(request).library.check()
    return JsonDocument({"status": "ok"}, headers={"cache-control": "no-store"})


@router.get("/metrics", summary="Figures for Prometheus", response_class=Figures)
@router.head("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """The text exposition format."""
    body, content_type = service_of(request).metrics.exposition()
    return Figures(body, headers={"content-type": content_type, "cache-control": "no-store"})


@router.get("/docs", include_in_schema=False)
@router.head("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """The API, to read and to try."""
    base = root_href(request)
    page = docs_page(f"{base}openapi.json", f"{base}assets/")
    return HtmlPage(page, headers={**dict(docs_headers()), "cache-control": "no-store"})
