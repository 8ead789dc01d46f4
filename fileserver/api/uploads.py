"""`/uploads`: resumable uploads, in two dialects on one resource: tus where a request names it, else the IETF draft."""

from fastapi import APIRouter, Request, Response

from fileserver.api import ietf, openapi, tus
from fileserver.api.requests import Flag, fields_of, must_be_writable
from fileserver.http.resumable import creates_upload
from storage import ROOT

router = APIRouter(tags=["uploads"])


@router.post("/uploads/", include_in_schema=False)
@router.post("/uploads", summary="Begin a resumable upload", status_code=201, response_class=Response)
async def create(request: Request, replace: Flag = False) -> Response:
    """An upload at the address that Location names.

    tus: Upload-Length or Upload-Defer-Length, Upload-Metadata with `filename` (or `key`, with folders). The IETF draft:
    Upload-Complete, and the name by Content-Disposition or Upload-Metadata. A name that is taken is a conflict, unless
    `replace` is true here or in the metadata.
    """
    if tus.is_meant(request) or not creates_upload(fields_of(request)):
        return await tus.create(request, ROOT, is_replacing=replace)
    must_be_writable(request)
    return await ietf.begin_in_folder(request, ROOT, is_replacing=replace)


@router.head("/uploads/{upload_id}", summary="How far an upload is", response_class=Response)
@router.get("/uploads/{upload_id}", include_in_schema=False)
async def tell(request: Request, upload_id: str) -> Response:
    """Upload-Offset, and what else is known. A request that is still sending to the upload is ended by this one."""
    return await (tus.tell if tus.is_meant(request) else ietf.tell)(request, upload_id)


@router.patch(
    "/uploads/{upload_id}",
    summary="Send a piece of an upload",
    status_code=204,
    response_class=Response,
    openapi_extra=openapi.PIECE,
)
async def append(request: Request, upload_id: str) -> Response:
    """Append the body at Upload-Offset, which has to be where the upload is."""
    speaks_tus = tus.is_meant(request) or tus.is_piece(request)
    return await (tus.append if speaks_tus else ietf.append)(request, upload_id)


@router.delete("/uploads/{upload_id}", summary="Cancel an upload", status_code=204, response_class=Response)
async def cancel(request: Request, upload_id: str) -> Response:
    """Forget an upload and throw its bytes away."""
    return await (tus.terminate if tus.is_meant(request) else ietf.cancel)(request, upload_id)


@router.post("/uploads/{upload_id}", include_in_schema=False)
async def override(request: Request, upload_id: str) -> Response:
    """X-HTTP-Method-Override of tus."""
    return await tus.override(request, upload_id)
