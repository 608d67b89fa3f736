"""Alerts over HTTP: every record, newest first, filtered and paged."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import AfterValidator

from device.alerts import EVENTS, Level, State
from service import schemas
from service.history import History, UnknownId
from service.problems import Problem


def _one_of(words: list[str]) -> AfterValidator:
    def check(word: str) -> str:
        if word and word not in words:
            raise ValueError(f"choose one of: {', '.join(words)}")
        return word

    return AfterValidator(check)


def _shown(words: list[str]) -> Any:
    return Query(max_length=40, json_schema_extra={"enum": ["", *words]})


LEVELS = [level.word for level in Level][1:]
STATES = [state.value for state in State]
Levels = Annotated[str, _one_of(LEVELS), _shown(LEVELS)]
Events = Annotated[str, _one_of(list(EVENTS)), _shown(list(EVENTS))]
States = Annotated[str, _one_of(STATES), _shown(STATES)]


def install(app: FastAPI, history: History) -> None:
    @app.get("/api/v1/alerts", summary="Alert records, newest first", response_model=schemas.Alerts)
    async def alerts(
        level: Levels = "",
        event: Events = "",
        state: States = "",
        alert_id: Annotated[
            str, Query(max_length=200, description="The chain of this episode only.")
        ] = "",
        since: Annotated[str, Query(max_length=200, description="Newer than this id.")] = "",
        before: Annotated[str, Query(max_length=200, description="Older than this id.")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Give `next` as `before` to go on to older ones, or the first id as `since` for newer."""
        try:
            found, further = history.alerts(
                limit=limit, level=level, event=event, state=state, alert_id=alert_id,
                since=since, before=before,
            )  # fmt: skip
        except UnknownId as error:
            raise Problem(
                404, f"there is no record {error}", "leave out alert_id, since and before"
            ) from error
        return {"alerts": found, "next": further or None}
