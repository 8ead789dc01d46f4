"""`/health`, `/metrics`, `/docs` and the way in."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fileserver.api.folders import Shown, list_folder
from fileserver.api.requests import file_href, root_href
from fileserver.api.responses import Figures, HtmlPage, JsonDocument
from fileserver.api.service import service_of
from fileserver.delivery.listing import Asked
from fileserver.http.negotiation import choose
from fileserver.web.assets import asset_prefix
from fileserver.web.docs import docs_headers, docs_page
from storage import ROOT

router = APIRouter(tags=["operations"])


@router.get("/", include_in_schema=False)
@router.head("/", include_in_schema=False)
async def root(request: Request) -> Response:
    """The files are what people come for: browsers have their page at once, everything else is told where they are."""
    if choose(request.headers.getlist("accept"), ("application/json", "text/html")) == "text/html":
        return await list_folder(request, Asked(ROOT), Shown())
    return await to_files(request)


@router.get("/files", include_in_schema=False)
@router.head("/files", include_in_schema=False)
async def to_files(request: Request) -> Response:
    """Folders end in a slash."""
    return RedirectResponse(file_href(request, ""), status_code=307, headers={"cache-control": "no-store"})


@router.get("/favicon.ico", include_in_schema=False)
async def icon(request: Request) -> Response:
    """Browsers ask for it here, whatever a page says."""
    href = f"{asset_prefix(root_href(request))}icon.svg"
    return RedirectResponse(href, 307, {"cache-control": "public, max-age=86400"})


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
    page = docs_page(root_href(request))
    return HtmlPage(page, headers={**dict(docs_headers()), "cache-control": "no-store"})
