"""What operators and API readers see."""

import re
from urllib.parse import urljoin

import httpx
import pytest


async def test_the_description_names_every_route_with_its_parameters_and_bodies(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert {"/files/{key}", "/files/{folder}", "/transform", "/transform/{key}", "/health", "/metrics"} <= set(
        document["paths"]
    )
    put = document["paths"]["/files/{key}"]["put"]
    assert [parameter["name"] for parameter in put["parameters"]] == ["key"]
    assert "application/octet-stream" in put["requestBody"]["content"]
    names = {parameter["name"] for parameter in document["paths"]["/transform"]["post"]["parameters"]}
    assert {"select", "filter", "limit", "on_bad_row"} <= names
    read = {parameter["name"] for parameter in document["paths"]["/files/{key}"]["get"]["parameters"]}
    read_by_folder = {"after", "limit", "recursive", "search", "sort", "view"}
    assert read == read_by_folder | {"key", "download", "tail", "follow", "last_event_id", "Last-Event-ID"}


@pytest.mark.parametrize("path", ["/docs", "/health", "/metrics", "/openapi.json"])
async def test_it_answers(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/files"])
async def test_the_way_in_leads_to_the_files(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, "/files/")


async def test_the_way_in_is_the_page_itself_for_browsers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status_code == 200
    assert answer.text == (await client.get("/files/", headers={"accept": "text/html"})).text
    assert (await client.head("/", headers={"accept": "text/html"})).content == b""


async def test_the_page_can_be_installed(client: httpx.AsyncClient) -> None:
    page = await client.get("/", headers={"accept": "text/html"})
    (href,) = re.findall(r'<link rel="manifest" href="([^"]+)"', page.text)
    manifest = await client.get(href)
    assert manifest.headers["content-type"] == "application/manifest+json"
    document = manifest.json()
    assert urljoin(href, document["start_url"]) == urljoin(href, document["scope"]) == "/"
    for icon in document["icons"]:
        assert (await client.get(urljoin(href, icon["src"]))).headers["content-type"] == icon["type"]
    (touch,) = re.findall(r'<link rel="apple-touch-icon" href="([^"]+)"', page.text)
    assert (await client.get(touch)).content.startswith(b"\x89PNG")
