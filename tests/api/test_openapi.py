"""What the description of the API says of plans, beyond what its routes know."""

import re

from fastapi import FastAPI

from fileserver.api import openapi, schemas
from fileserver.tables import PARAMETERS


def _document() -> schemas.Schema:
    app: FastAPI = openapi.DescribedApp()

    @app.post("/transform", openapi_extra=openapi.TRANSFORM_BODY)
    async def by_body() -> None: ...

    @app.post("/transform/{key:path}", openapi_extra=openapi.TRANSFORM_STORED_BY_PLAN)
    async def by_plan() -> None: ...

    return app.openapi()


def test_all_that_is_referred_to_is_there() -> None:
    document = _document()
    referred = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert {"Plan", "Problem", "Filter"} <= referred <= set(document["components"]["schemas"])


def test_every_parameter_stands_in_the_query_and_in_the_form() -> None:
    route = _document()["paths"]["/transform"]["post"]
    names = [parameter["name"] for parameter in route["parameters"]]
    form = route["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert set(names) == set(PARAMETERS) | {"save", "save_result", "download"} == set(form) - {"file"}
    assert names == sorted(names)


def test_the_faults_of_a_transform_are_told_by_status() -> None:
    responses = _document()["paths"]["/transform"]["post"]["responses"]
    assert {"200", "201", "400", "409", "415", "422", "503", "507"} <= set(responses)
    assert "plan-fault" in responses["400"]["description"]
