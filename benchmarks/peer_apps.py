"""The applications of the Python peers, as their own documentation and tutorials write them.

FOLDER stands for the folder served. Each is written to a file and run in the peers' virtual environment.
"""

FILE_RESPONSE = """
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route

app = Starlette(routes=[Route("/{name}", lambda request: FileResponse(FOLDER + "/" + request.path_params["name"]))])
"""

STATIC_FILES = """
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

app = Starlette(routes=[Mount("/", StaticFiles(directory=FOLDER))])
"""

AIOHTTP = """
import sys
from aiohttp import web

app = web.Application()
app.add_routes([web.static("/", FOLDER)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
"""

LINES = """
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()

@app.get("/{name}")
def read(name: str):
    def lines():
        with open(FOLDER + "/" + name, "rb") as file:
            yield from file
    return StreamingResponse(lines(), media_type="application/octet-stream")
"""

GENERATOR = """
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()

@app.get("/{name}")
def read(name: str):
    def chunks():
        with open(FOLDER + "/" + name, "rb") as file:
            while chunk := file.read(64 * 1024):
                yield chunk
    return StreamingResponse(chunks(), media_type="application/octet-stream")
"""

AIOFILES = """
import aiofiles
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()

@app.get("/{name}")
async def read(name: str):
    async def chunks():
        async with aiofiles.open(FOLDER + "/" + name, "rb") as file:
            while chunk := await file.read(64 * 1024):
                yield chunk
    return StreamingResponse(chunks(), media_type="application/octet-stream")
"""

UPLOAD_FILE = """
import os, shutil
from fastapi import FastAPI, UploadFile

app = FastAPI()

@app.post("/", status_code=201)
def store(file: UploadFile):
    with open(FOLDER + "/" + os.path.basename(file.filename), "wb") as target:
        shutil.copyfileobj(file.file, target)
"""
