"""What operators and API readers see."""

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
    read_by_folder = {"after", "limit", "recursive", "sort"}
    assert read == read_by_folder | {"key", "download", "tail", "follow", "last_event_id", "Last-Event-ID"}


@pytest.mark.parametrize("path", ["/docs", "/health", "/metrics", "/assets/icon.svg", "/openapi.json"])
async def test_it_answers(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/files"])
async def test_the_way_in_leads_to_the_files(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, "/files/")
