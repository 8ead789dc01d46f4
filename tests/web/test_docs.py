"""The page of the API works by itself."""

import json
from collections.abc import Callable

from playwright.sync_api import expect

from fileserver.web.docs import docs_headers, docs_page
from tests.web.conftest import SITE, Site

OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Test API", "version": "1"},
    "paths": {
        "/files/{key}": {
            "get": {
                "summary": "Fetch a file",
                "parameters": [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "The file"}},
            }
        }
    },
}


def test_the_api_is_shown_and_tried_without_the_internet(visit: Callable[..., Site]) -> None:
    site = visit()
    site.serve("/sub/docs", docs_page("/sub/"), docs_headers())
    site.serve("/sub/openapi.json", json.dumps(OPENAPI), [("content-type", "application/json")])
    site.serve("/files/a", "content", [("content-type", "text/plain")])
    site.serve_assets("/sub/")
    page = site.page
    page.goto(f"{SITE}/sub/docs")
    expect(page.get_by_role("heading", name="Test API")).to_be_visible()
    page.locator(".opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("key").fill("a")
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response")).to_contain_text("content")
    assert site.complaints == []
    strangers = [request.url for request in site.requests if not request.url.startswith((SITE, "data:", "blob:"))]
    assert strangers == []


def test_no_script_stands_in_the_page_or_comes_from_elsewhere() -> None:
    policy = dict(docs_headers())["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in " ".join(policy)
    assert "></script>" in docs_page("/")


def test_an_address_cannot_break_out_of_the_page() -> None:
    page = docs_page('/"><script>alert(1)</script>/')
    assert "<script>" not in page
    assert page.count("<script ") == 2
